import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";

/** Label of the servers that a load balancer sends requests to. */
export const BALANCED_LABEL = "hybrid-k3s/balanced";

/** Sizes of load balancers. https://www.hetzner.com/cloud/load-balancer */
export const LOAD_BALANCER_TYPES = ["lb11", "lb21", "lb31"] as const;

/** Ports that are passed on as they come: TLS ends in the cluster. */
const PORTS = [80, 443] as const;

/** What the settings say of a load balancer. */
export interface LoadBalancerChoice {
  readonly type: (typeof LOAD_BALANCER_TYPES)[number];
  /** Such as `fsn1`. */
  readonly location: string;
  /** Whether the sender's address is put in front of each connection: the ingress then has to expect that. */
  readonly proxyProtocol: boolean;
}

/** Arguments of {@link loadBalancer}. */
export interface LoadBalancerArgs extends LoadBalancerChoice {
  /** Name in the project. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Label selector of everything of the site. */
  readonly selector: string;
  readonly subnet: hcloud.NetworkSubnet;
}

/**
 * A load balancer in front of a site's servers that take requests, which it reaches over the private network: those servers
 * open no port to the world for it. It finds them by label, so that it is not touched when one comes or goes.
 * https://docs.hetzner.com/cloud/load-balancers/overview
 * @returns its public IPv4 address
 */
export function loadBalancer(
  logicalName: string,
  { name, type, location, proxyProtocol, labels, selector, subnet }: LoadBalancerArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const balancer = new hcloud.LoadBalancer(
    logicalName,
    { name, loadBalancerType: type, location, labels: { ...labels } },
    // Its address is in other people's DNS: it is made once, where there was room then. Its place in the network goes with
    // it, so the network has to wait for it and not for that alone.
    pulumi.mergeOptions(options, { ignoreChanges: ["location"], dependsOn: [subnet] }),
  );
  const id = balancer.id.apply(Number);
  const network = new hcloud.LoadBalancerNetwork(
    `${logicalName}-network`,
    { loadBalancerId: id, subnetId: subnet.id },
    { ...options, deletedWith: balancer },
  );
  new hcloud.LoadBalancerTarget(
    `${logicalName}-target`,
    {
      type: "label_selector",
      loadBalancerId: id,
      labelSelector: `${selector},${BALANCED_LABEL}=yes`,
      usePrivateIp: true,
    },
    // A target with private addresses is refused while the balancer is in no network.
    { ...options, dependsOn: [network], deletedWith: balancer },
  );
  for (const port of PORTS) {
    new hcloud.LoadBalancerService(
      `${logicalName}-${port}`,
      {
        loadBalancerId: balancer.id,
        protocol: "tcp",
        listenPort: port,
        destinationPort: port,
        proxyprotocol: proxyProtocol,
        healthCheck: { protocol: "tcp", port, interval: 15, timeout: 10, retries: 3 },
      },
      { ...options, deletedWith: balancer },
    );
  }
  return balancer.ipv4;
}
