import type { Values } from "../../provider/protocol/wire.ts";
import { placed } from "./hcloud-network.ts";
import { apiError, type Project } from "./hcloud-project.ts";
import type { StandInType } from "./stand-in.ts";
import { numberOf, textOf } from "./values.ts";

const SOURCE =
  "ForceNew in https://github.com/hetznercloud/terraform-provider-hcloud/blob/v1.68.0/internal/loadbalancer/";

/** By balancer: the network that it is in; empty: none. */
type Networks = Map<string, string>;

function balancerType(project: Project, networks: Networks): StandInType {
  return {
    token: "hcloud:index/loadBalancer:LoadBalancer",
    replaceOn: ["location", "networkZone"],
    source: `${SOURCE}resource.go`,
    computed: ["ipv4", "ipv6", "networkId", "networkIp"],
    create: ({ inputs }) => {
      const id = project.claim("load balancer", textOf(inputs["name"]));
      networks.set(id, "");
      const { cloud } = project.world;
      return Promise.resolve({ id, outputs: { ipv4: cloud.publicAddress(), ipv6: cloud.publicNetwork() } });
    },
    delete: ({ id }) => {
      project.networks.get(networks.get(id) ?? "")?.delete(`balancer ${id}`);
      networks.delete(id);
      project.release(id);
      return Promise.resolve();
    },
  };
}

/** Something that belongs to a balancer and goes with it. */
interface Part extends Pick<StandInType, "token" | "replaceOn" | "computed"> {
  /** File in the provider's source. */
  readonly file: string;
  readonly make: (inputs: Values, balancer: string) => { readonly id: string; readonly outputs: Values };
}

const partType = (networks: Networks, { token, file, make, replaceOn, computed }: Part): StandInType => ({
  token: `hcloud:index/${token}`,
  replaceOn,
  computed,
  source: `${SOURCE}${file}`,
  create: ({ inputs }) => {
    const { loadBalancerId } = inputs;
    const balancer = typeof loadBalancerId === "string" ? loadBalancerId : String(numberOf(loadBalancerId));
    if (!networks.has(balancer)) throw apiError("not_found", `load balancer with ID '${balancer}' not found`);
    return Promise.resolve(make(inputs, balancer));
  },
});

const partsOf = (project: Project, networks: Networks): Part[] => [
  {
    token: "loadBalancerNetwork:LoadBalancerNetwork",
    file: "resource_network.go",
    replaceOn: ["loadBalancerId", "subnetId", "ip"],
    computed: ["ip"],
    make: (inputs, id) => {
      const [networkId = "", range = ""] = textOf(inputs["subnetId"]).split("-");
      networks.set(id, networkId);
      return { id: `${id}-${networkId}`, outputs: { ip: placed(project, networkId, range, `balancer ${id}`) } };
    },
  },
  {
    token: "loadBalancerTarget:LoadBalancerTarget",
    file: "resource_target.go",
    replaceOn: ["type", "loadBalancerId", "serverId", "labelSelector", "ip", "usePrivateIp"],
    computed: [],
    make: (inputs, id) => {
      // https://docs.hetzner.cloud/reference/cloud#load-balancer-actions-add-target
      if (inputs["usePrivateIp"] === true && networks.get(id) === "")
        throw apiError("load_balancer_not_attached_to_network", "load balancer is not attached to a network");
      return { id: `lb-label-selector-tgt-${id}`, outputs: {} };
    },
  },
  {
    token: "loadBalancerService:LoadBalancerService",
    file: "resource_service.go",
    replaceOn: ["loadBalancerId", "listenPort"],
    computed: [],
    make: (inputs, id) => ({ id: `${id}__${numberOf(inputs["listenPort"])}`, outputs: {} }),
  },
];

/**
 * Load balancers of the project: the balancer, its place in a private network, what it sends to and what it listens on. That
 * a packet passes is not played; what the API refuses is.
 */
export function balancerTypes(project: Project): StandInType[] {
  const networks: Networks = new Map();
  return [balancerType(project, networks), ...partsOf(project, networks).map((part) => partType(networks, part))];
}
