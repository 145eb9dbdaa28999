import { apiError, type Project } from "./hcloud-project.ts";
import { plainType } from "./hcloud-plain.ts";
import type { StandInType } from "./stand-in.ts";
import { numberOf, textOf } from "./values.ts";

const SOURCE =
  "ForceNew and RequiresReplace in https://github.com/hetznercloud/terraform-provider-hcloud/blob/v1.68.0/internal/";

/** Private networks, their subnets, and which servers are in them. */
export function networkTypes(project: Project): StandInType[] {
  const network = plainType(
    project,
    "network",
    {
      token: "hcloud:index/network:Network",
      replaceOn: ["ipRange"],
      source: `${SOURCE}network/resource.go`,
      computed: [],
    },
    {
      begin: (_, id) => {
        project.networks.set(id, new Map());
        return {};
      },
      end: (id) => {
        const members = project.networks.get(id)?.size ?? 0;
        if (members > 0) throw apiError("resource_in_use", `network has ${members} resources attached`);
        project.networks.delete(id);
      },
    },
  );
  const subnet: StandInType = {
    token: "hcloud:index/networkSubnet:NetworkSubnet",
    replaceOn: ["networkId", "type", "networkZone", "ipRange", "vswitchId"],
    source: `${SOURCE}network/resource_subnet.go`,
    computed: ["gateway"],
    create: ({ inputs }) => {
      const range = textOf(inputs["ipRange"]);
      return Promise.resolve({
        id: `${numberOf(inputs["networkId"])}-${range}`,
        outputs: { gateway: inRange(range, 1) },
      });
    },
  };
  return [network, subnet, membershipType(project)];
}

/** The address of a range that has this place in it. */
function inRange(range: string, place: number): string {
  const start = (range.split("/")[0] ?? "").split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return [24, 16, 8, 0].map((bits) => Math.floor((start + place) / 2 ** bits) % 256).join(".");
}

/** Gives a member of a network the lowest address that is free. */
export function placed(project: Project, networkId: string, range: string, member: string): string {
  const members = project.networks.get(networkId);
  if (members === undefined) throw apiError("not_found", `network with ID '${networkId}' not found`);
  let place = 2;
  while ([...members.values()].includes(inRange(range, place))) place++;
  const ip = inRange(range, place);
  members.set(member, ip);
  return ip;
}

/** Servers get the lowest address that is free; the first of a range is the gateway's. */
function membershipType(project: Project): StandInType {
  return {
    token: "hcloud:index/serverNetwork:ServerNetwork",
    replaceOn: ["serverId", "networkId", "subnetId", "ip"],
    source: `${SOURCE}server/resource_network.go`,
    computed: ["ip", "macAddress", "networkId"],
    create: (operation) => {
      const { inputs } = operation;
      const [networkId = "", range = ""] = textOf(inputs["subnetId"]).split("-");
      const server = String(numberOf(inputs["serverId"]));
      const ip = placed(project, networkId, range, server);
      project.server(server).host.address = ip;
      const outputs = { ip, macAddress: "86:00:00:00:00:01", networkId: Number(networkId) };
      return Promise.resolve({ id: `${server}-${networkId}`, outputs });
    },
    delete: ({ olds }) => {
      const [networkId = ""] = textOf(olds["subnetId"]).split("-");
      project.networks.get(networkId)?.delete(String(numberOf(olds["serverId"])));
      return Promise.resolve();
    },
  };
}
