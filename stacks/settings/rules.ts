import { RELAY_PORT } from "../../components/mesh/relay-port.ts";
import { COMMON_RULES, type Rule } from "../../components/strict-schema.ts";

/** What each kind of value may be. One place, so that two settings of one kind never get two answers. */
export const RULES = {
  ...COMMON_RULES,
  region: { allowed: "a region of regions.yaml", fix: "write one of its names, or add the region there" },
  version: {
    allowed: "a k3s release such as v1.36.3+k3s1",
    fix: "take a tag of https://github.com/k3s-io/k3s/releases",
  },
  cni: { allowed: "flannel or cilium", fix: 'write "cilium", or remove the setting for flannel' },
  flannelBackend: {
    allowed: "vxlan or wireguard-native",
    fix: "write wireguard-native to encrypt what pods send each other, or remove the setting for vxlan",
  },
  flannelBackendUnused: { allowed: "nothing with cni: cilium, which has no flannel", fix: "remove flannelBackend" },
  ciliumUnused: { allowed: "nothing with cni: flannel", fix: "write cni: cilium, or remove kubernetes.cilium" },
  ciliumVersion: {
    allowed: "a release of Cilium such as 1.20.2",
    fix: "take a tag of https://github.com/cilium/cilium/releases, without the v",
  },
  addressBlocks: { allowed: "a list of IPv4 ranges", fix: 'write it like ["10.20.0.200-10.20.0.220"]' },
  addressBlock: {
    allowed:
      "two IPv4 addresses, the lower one first, such as 10.20.0.200-10.20.0.220, or a range such as 10.20.0.224/28",
    fix: "write the first and the last address with - between them",
  },
  addressBlockPlace: {
    allowed: "addresses on the LAN of a site of kind existing, where Cilium can answer for them",
    fix: "write addresses of that LAN which no router and no DHCP server gives away, or remove the pool",
  },
  addressBlockSites: {
    allowed: "addresses on the LAN of one site",
    fix: "keep those of one site: a Service gets any of them, and only that site's nodes can answer",
  },
  addressBlockTaken: {
    allowed: "addresses that no machine has",
    fix: "leave the machine's address out of the range",
  },
  addressBlockDisable: {
    allowed: "servicelb among it with a loadBalancerPool: ServiceLB would answer for the same Services",
    fix: 'write "disable+" in its place, which adds to what is left out already, or name servicelb as well',
  },
  addressBlockProxy: {
    allowed: "kubeProxyReplacement: true with a loadBalancerPool: Cilium's announcements need it",
    fix: "remove kubeProxyReplacement, or remove the pool",
  },
  host: {
    allowed: "a DNS name or an IPv4 address",
    fix: "write the host alone, in lower case, without a scheme or a port",
  },
  hosts: { allowed: "a list of DNS names or IPv4 addresses", fix: "write it as a list" },
  parallelism: { allowed: "a whole number of at least 1", fix: "remove the setting for 5" },
  mirror: {
    allowed: "an http, https or file address of a directory, without a user or password",
    fix: 'write it like "http://10.20.0.2/k3s"',
  },
  podSecurity: { allowed: "restricted, baseline or privileged", fix: "write one of these three" },
  namespaces: { allowed: "a list of namespace names", fix: "write it as a list" },
  namespace: { allowed: "a namespace name", fix: "write it in lower case, as kubectl get namespaces shows it" },
  rawConfig: { allowed: "an object of k3s configuration keys", fix: "write it as the content of k3s's config.yaml" },
  kubeletArguments: { allowed: 'a list of kubelet arguments such as "max-pods=200"', fix: "write it as a list" },
  kubeletArgument: {
    allowed: 'a kubelet argument such as "max-pods=200"',
    fix: "write name=value, without dashes in front",
  },
  registries: { allowed: "the content of k3s's registries.yaml", fix: "write it as an object" },
  meshProvider: { allowed: "netbird, none, tailscale", fix: "write one of these, or remove the mesh setting for none" },
  tailnet: {
    allowed: "the name of a tailnet, or -",
    fix: "copy it from https://login.tailscale.com/admin/dns, or remove the setting for the credential's own tailnet",
  },
  meshTag: {
    allowed: "tag: and a name of letters, digits and -, which begins with a letter",
    fix: 'write it in quotes, like "tag:k3s-tokyo"',
  },
  meshGroup: { allowed: "the name of a group, at most 63 letters, digits, -, _ or .", fix: "write it like k3s-tokyo" },
  controlAddress: {
    allowed: "an https address without a user or path; plain http only on this computer or a private address",
    fix: 'write it like "https://headscale.example.net"',
  },
  clientVersion: {
    allowed: "a release of the mesh's client such as 1.102.4",
    fix: "write three numbers, or remove it for the one in versions.yaml",
  },
  packages: {
    allowed: "an http, https or file address of a package repository, without a user or password",
    fix: "write the address of a mirror of the vendor's repository, or remove the setting",
  },
  cloudPackages: {
    allowed: "an http or https address with sites whose machines join the mesh at their first boot",
    fix: "write an address that those machines reach before anybody can log in, or remove the setting: a new machine has no such directory",
  },
  meshPort: {
    allowed: "a port from 1024 to 65535",
    fix: "write the UDP port of the mesh's client, or remove the setting",
  },
  meshPolicy: {
    allowed: "managed, merge or external",
    fix: "write merge (our lines in your policy), managed (all of it is ours) or external (yours alone, only checked)",
  },
  operators: {
    allowed: "a list of who may reach SSH and the API, at least one",
    fix: 'write it like ["group:ops"], or remove it for autogroup:admin',
  },
  netbirdOperators: {
    allowed: "a list of NetBird groups that may reach SSH and the API, at least one",
    fix: "write the group that this computer is in",
  },
  operator: {
    allowed: "a user, group, tag or autogroup of the tailnet's policy",
    fix: 'write it like "group:ops", "you@example.com" or "autogroup:admin"',
  },
  netbirdOperator: { allowed: "the name of a NetBird group", fix: "write it as NetBird shows it" },
  headscaleOperators: {
    allowed: "users, groups or tags of the tailnet: Headscale knows no autogroup:admin",
    fix: 'write operators: ["group:ops"], with a group of Headscale\'s policy',
  },
  keyLifetime: {
    allowed: "a duration of at most 24h",
    fix: "write how long a machine may take until it has joined, such as 1h; a key is used once",
  },
  meshApiKey: {
    allowed: "an API key of the tailnet, encrypted; neither an auth key nor an OAuth secret",
    fix: "pulumi config set --secret --path hybrid-k3s:mesh.apiKey, or remove it and export TAILSCALE_API_KEY (HEADSCALE_API_KEY for Headscale)",
  },
  meshClientId: {
    allowed: "the id of an OAuth client or of a workload identity",
    fix: "copy it from the tailnet's settings, or remove it and export TAILSCALE_OAUTH_CLIENT_ID",
  },
  meshClientSecret: {
    allowed: "the secret of an OAuth client, encrypted; neither an auth key nor an API key",
    fix: "pulumi config set --secret --path hybrid-k3s:mesh.oauthClientSecret, or remove it and export TAILSCALE_OAUTH_CLIENT_SECRET",
  },
  meshIdentityToken: {
    allowed: "the token of a workload identity, encrypted",
    fix: "pulumi config set --secret --path hybrid-k3s:mesh.identityToken, or remove it and export TAILSCALE_IDENTITY_TOKEN",
  },
  netbirdToken: {
    allowed: "an access token of NetBird, encrypted; no setup key",
    fix: "pulumi config set --secret --path hybrid-k3s:mesh.token, or remove it and export NB_PAT",
  },
  meshCredential: {
    allowed: "one way in: apiKey, or oauthClientId with oauthClientSecret, or oauthClientId with identityToken",
    fix: "keep one of them; what the settings leave out comes from the environment",
  },
  headscaleCredential: { allowed: "apiKey alone with Headscale", fix: "remove it, and write an API key of Headscale" },
  headscaleBaseUrl: {
    allowed: "headscale.url alone: Headscale's API is at the same address",
    fix: "remove baseUrl",
  },
  nodeAddresses: {
    allowed: "lan or mesh",
    fix: "write mesh where two sites share a LAN range, or remove the setting for lan",
  },
  nodeAddressesMesh: { allowed: "lan while mesh.provider is none", fix: "set up a mesh, or remove nodeAddresses" },
  relayMesh: {
    allowed: "false unless mesh.provider is tailscale, whose peer relay it is",
    fix: "remove relay; NetBird has relay servers of its own",
  },
  relayPort: {
    allowed: `another port than ${RELAY_PORT} where a machine relays: its relay listens there`,
    fix: "write another port for the mesh's client, or remove mesh.port",
  },
  publicPorts: { allowed: "a list of ports with their protocol", fix: 'write it like ["25565/tcp"]' },
  publicPort: {
    allowed: "a port with its protocol, such as 25565/tcp or 34197/udp",
    fix: "write port/protocol, in quotes",
  },
  siteProvider: { allowed: "existing, hetzner, lightsail, lima", fix: "write one of these kinds of site" },
  sites: { allowed: "at least one site, by name", fix: "add a site by its name" },
  pools: { allowed: "at least one pool, by name", fix: "add a pool by its name, or remove the site" },
  machines: { allowed: "at least one machine, by name", fix: "add a machine by its name, or remove the pool" },
  regions: { allowed: "at least one region, by name", fix: "add a region by its name, with its id" },
  lan: { allowed: "an IPv4 range from /8 to /30", fix: "write the range of the site's LAN, such as 10.20.0.0/24" },
  pods: {
    allowed: "an IPv4 range from /8 to /24",
    fix: "write a range such as 10.64.0.0/16, or remove it to derive it from id",
  },
  services: {
    allowed: "an IPv4 range from /12 to /24",
    fix: "write a range such as 10.65.0.0/16, or remove it to derive it from id",
  },
  zone: {
    allowed: "at most 63 letters, digits, -, _ or .",
    fix: "write a short name, in quotes if it is a number",
  },
  user: { allowed: "a Linux user name", fix: "write the login user of the host, such as root" },
  port: { allowed: "a port from 1 to 65535", fix: "write the port of sshd, or remove the setting for 22" },
  hostKey: {
    allowed: 'a public SSH host key such as "ssh-ed25519 AAAA…"',
    fix: "copy the line of /etc/ssh/ssh_host_ed25519_key.pub on that host",
  },
  jump: {
    allowed: "none, an object with the keys host, hostKey, port, user, or one with the key machine alone",
    fix: "write the host in between as an object",
  },
  jumpMachine: { allowed: "the name of a machine of another site", fix: "write the machine's name" },
  accessFrom: {
    allowed: "a list of IPv4 or IPv6 ranges that may connect",
    fix: 'write the address of this computer as the internet sees it, such as ["198.51.100.7/32"]',
  },
  accessMany: {
    allowed: "at most 64 ranges: they are in a machine's first script, which clouds cut off at 16 KiB",
    fix: "join neighbouring ranges, or let a mesh or a jump host be the way in",
  },
  accessRange: {
    allowed: "an IPv4 range from /8 to /32 or an IPv6 range from /16 to /128; never the whole internet",
    fix: "write the address of this computer as the internet sees it, with /32",
  },
  awsZone: { allowed: "the letter of a zone, such as a", fix: "write the letter alone; awsRegion has the rest" },
  bundleMissing: {
    allowed: "a bundle on the machine, its pool or its site",
    fix: "write one, such as large_3_0; docs/sites/lightsail.md lists them",
  },
  locations: {
    allowed: 'a list of locations such as ["fsn1", "nbg1"]',
    fix: "write at least one, the preferred one first",
  },
  locationTwice: { allowed: "each location once", fix: "remove it: the first place in the list counts" },
  loadBalancerType: { allowed: "lb11, lb21 or lb31", fix: "write one of these types, or remove it for lb11" },
  loadBalancerIdle: {
    allowed: "a load balancer in front of at least one pool with ingress: true",
    fix: "set ingress: true at the pools that take requests, or remove loadBalancer",
  },
  locationZones: {
    allowed: "locations of one network zone",
    fix: "keep those of one zone (fsn1, nbg1 and hel1 share one; ash, hil and sin have one each), and make a site of its own for the others",
  },
  hetznerLan: {
    allowed: "a private IPv4 range from /8 to /24",
    fix: "write a range inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, such as 10.30.0.0/24",
  },
  typeMissing: {
    allowed: "a type on the machine, its pool or its site",
    fix: "write one, such as cx33; docs/sites/hetzner.md lists them",
  },
  volumeSize: { allowed: "a size from 10GiB to 10TiB", fix: "write a whole number with its unit: GiB or TiB" },
  hetznerToken: {
    allowed: "a token of a Hetzner Cloud project, 64 letters and digits, encrypted",
    fix: "pulumi config set --secret --path 'hybrid-k3s:<path>', or remove it and export HCLOUD_TOKEN",
  },
  apiEndpoint: {
    allowed: "an https address, or an http address of this computer",
    fix: "remove the setting for Hetzner's own API",
  },
  diskSize: { allowed: "a size from 8GiB to 16TiB", fix: "write a whole number with its unit: GiB or TiB" },
  memorySize: { allowed: "a size from 1GiB to 1TiB", fix: "write a whole number with its unit: GiB or TiB" },
  cpus: { allowed: "a whole number from 1 to 64", fix: "write a number, or remove it for 2" },
  hostCpus: { allowed: "a whole number from 1 to 512", fix: "write how many CPUs the host has" },
  cpusAlone: { allowed: "cpus and memory together", fix: "write memory too, or remove cpus" },
  memoryAlone: { allowed: "memory and cpus together", fix: "write cpus too, or remove memory" },
  hostSystem: { allowed: "macos or linux", fix: "write what the computer that runs the VMs runs" },
  limaNetwork: {
    allowed: "shared or user-v2",
    fix: "write shared (socket_vmnet, an address for each VM) or user-v2 (no root needed); VMs on vzNAT cannot reach each other",
  },
  limaSharedOnLinux: { allowed: "user-v2 on a Linux host", fix: "write user-v2: socket_vmnet is for macOS only" },
  snapshots: { allowed: 'a full hour in UTC such as "18:00"', fix: "write it in quotes, with the minutes 00" },
  tags: { allowed: "an object of texts", fix: 'write it like { team: "platform" }' },
  tag: {
    allowed: "at most 63 letters, digits, -, _ or .",
    fix: "write a text, in quotes if it looks like a number or like true",
  },
  role: { allowed: "server or agent", fix: "write server for the control plane and etcd, agent for pods only" },
  address: { allowed: "an IPv4 address", fix: "write the host's private address, which becomes its node-ip" },
  generation: {
    allowed: "a whole number of at least 1",
    fix: "raise it by one to replace the host, or remove it for 1",
  },
  labels: { allowed: "an object of label keys and values", fix: "write it like { tier: control }" },
  labelValue: {
    allowed: "at most 63 letters, digits, -, _ or .",
    fix: "write a text, in quotes if it looks like a number or like true",
  },
  taints: { allowed: 'a list of taints such as "dedicated=control:NoSchedule"', fix: "write it as a list" },
  taint: {
    allowed: "key=value:effect or key:effect with NoSchedule, PreferNoSchedule or NoExecute",
    fix: 'write it like "dedicated=control:NoSchedule"',
  },
  taintTwice: {
    allowed: "each key and effect once",
    fix: "remove it, or the one before it with the same key and effect",
  },
  values: { allowed: "an object of Helm values", fix: "write it as an object" },
  accept: { allowed: "an object of guardrail ids and reasons", fix: "write it as an object" },
  reason: { allowed: "a reason in words", fix: "say why this is acceptable; it is shown with every update" },
  regionId: { allowed: "a whole number from 0 to 63", fix: "give the region a number that no other region has" },
} as const satisfies Record<string, Rule>;
