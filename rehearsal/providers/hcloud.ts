import { serverTypeNames, serverTypeOf } from "../../components/hetzner/catalog.ts";
import type { World } from "../world/world.ts";
import { balancerTypes } from "./hcloud-balancer.ts";
import { networkTypes } from "./hcloud-network.ts";
import { plainType } from "./hcloud-plain.ts";
import { apiError, labelsOf, Project, selects } from "./hcloud-project.ts";
import type { StandIn, StandInType } from "./stand-in.ts";
import { listOf, numberOf, objectOf, textOf } from "./values.ts";
import type { Values } from "../../provider/protocol/wire.ts";

const SOURCE =
  "ForceNew and RequiresReplace in https://github.com/hetznercloud/terraform-provider-hcloud/blob/v1.68.0/internal/";

function keyType(project: Project): StandInType {
  return plainType(
    project,
    "SSH key",
    {
      token: "hcloud:index/sshKey:SshKey",
      replaceOn: ["publicKey"],
      source: `${SOURCE}sshkey/resource.go`,
      computed: ["fingerprint"],
    },
    {
      begin: ({ inputs }, id) => {
        const key = textOf(inputs["publicKey"]);
        if ([...project.keys.values()].includes(key)) {
          throw apiError("uniqueness_error", "SSH key with the same fingerprint already exists");
        }
        project.keys.set(id, key);
        return { fingerprint: "" };
      },
      end: (id) => {
        project.keys.delete(id);
      },
    },
  );
}

/** Lines such as `tcp 22 from 198.51.100.7/32`. */
const ruleLines = (inputs: Values): string[] =>
  listOf(inputs["rules"])
    .map(objectOf)
    .map(
      (rule) =>
        `${textOf(rule["protocol"])} ${textOf(rule["port"])} from ${listOf(rule["sourceIps"]).map(textOf).join(" ")}`,
    );

const selectorsIn = (inputs: Values): string[] =>
  listOf(inputs["applyTos"]).map((target) => textOf(objectOf(target)["labelSelector"]));

function firewallTypes(project: Project): StandInType[] {
  const firewall: StandInType = {
    token: "hcloud:index/firewall:Firewall",
    replaceOn: [],
    source: `${SOURCE}firewall/resource.go`,
    computed: [],
    create: (operation) => {
      const { inputs } = operation;
      const id = project.claim("firewall", textOf(inputs["name"]));
      project.firewalls.set(id, { selectors: selectorsIn(inputs), rules: ruleLines(inputs) });
      project.filter(operation);
      return Promise.resolve({ id, outputs: {} });
    },
    update: (operation) => {
      const { id, inputs } = operation;
      project.rename(id, "firewall", textOf(inputs["name"]));
      project.firewalls.set(id, { selectors: selectorsIn(inputs), rules: ruleLines(inputs) });
      project.filter(operation);
      return Promise.resolve({});
    },
    delete: (operation) => {
      project.firewalls.delete(operation.id);
      project.release(operation.id);
      project.filter(operation);
      return Promise.resolve();
    },
  };
  const attachment: StandInType = {
    token: "hcloud:index/firewallAttachment:FirewallAttachment",
    replaceOn: ["firewallId"],
    source: `${SOURCE}firewall/attachment_resource.go`,
    computed: [],
    create: (operation) => {
      const id = String(numberOf(operation.inputs["firewallId"]));
      const firewall = project.firewalls.get(id);
      if (firewall === undefined) throw apiError("not_found", `firewall with ID '${id}' not found`);
      firewall.selectors = listOf(operation.inputs["labelSelectors"]).map(textOf);
      project.filter(operation);
      return Promise.resolve({ id, outputs: {} });
    },
    delete: (operation) => {
      const firewall = project.firewalls.get(operation.id);
      if (firewall !== undefined) firewall.selectors = [];
      project.filter(operation);
      return Promise.resolve();
    },
  };
  return [firewall, attachment];
}

function primaryIpType(project: Project): StandInType {
  return plainType(
    project,
    "primary IP",
    {
      token: "hcloud:index/primaryIp:PrimaryIp",
      replaceOn: ["type", "location"],
      source: `${SOURCE}primaryip/resource.go`,
      computed: ["ipAddress", "ipNetwork", "assigneeId", "assigneeType"],
    },
    {
      begin: ({ inputs }, id) => {
        const [name = "", type = "", location = ""] = ["name", "type", "location"].map((key) => textOf(inputs[key]));
        const { cloud } = project.world;
        const ip = type === "ipv4" ? cloud.publicAddress() : cloud.publicNetwork();
        project.addresses.set(id, { name, type, ip, location, labels: labelsOf(inputs), server: undefined });
        return { ipAddress: ip, ipNetwork: type === "ipv4" ? "" : `${ip}/64`, assigneeId: 0, assigneeType: "server" };
      },
      end: (id) => {
        const address = project.addresses.get(id);
        if (address?.server !== undefined)
          throw apiError("conflict", `primary IP ${address.name} is assigned to a server`);
        project.addresses.delete(id);
      },
    },
  );
}

function serverType(project: Project): StandInType {
  return {
    token: "hcloud:index/server:Server",
    replaceOn: ["image", "location", "userData", "sshKeys"],
    source: `${SOURCE}server/resource.go`,
    computed: ["backupWindow", "ipv4Address", "ipv6Address", "ipv6Network", "primaryDiskSize", "status"],
    create: (operation) => {
      const { inputs } = operation;
      project.refuse(inputs);
      const id = project.claim("server", textOf(inputs["name"]));
      const server = project.boot(operation, id);
      // What no input states is left as it is by the provider, in an update too.
      project.world.cloud.protectedServers.set(id, inputs["deleteProtection"] === true);
      project.filter(operation);
      const ipv6 = project.addressOf(server, "ipv6");
      return Promise.resolve({
        id,
        outputs: {
          backupWindow: "",
          ipv4Address: project.addressOf(server, "ipv4"),
          ipv6Address: ipv6,
          ipv6Network: ipv6.replace(/1$/, "/64"),
          primaryDiskSize: serverTypeOf(textOf(inputs["serverType"]))?.diskGiB ?? 0,
          status: "running",
        },
      });
    },
    update: (operation) => {
      const { id, inputs, olds } = operation;
      project.rename(id, "server", textOf(inputs["name"]));
      const server = project.server(id);
      server.name = textOf(inputs["name"]);
      server.labels = labelsOf(inputs);
      project.filter(operation);
      const names = ["backupWindow", "ipv4Address", "ipv6Address", "ipv6Network", "primaryDiskSize", "status"];
      return Promise.resolve(Object.fromEntries(names.map((name) => [name, olds[name] ?? null])));
    },
    delete: (operation) => {
      const { id } = operation;
      const { host } = project.server(id);
      const { cloud } = project.world;
      if (cloud.protectedServers.get(id) === true) throw apiError("protected", "server deletion is protected");
      cloud.protectedServers.delete(id);
      project.servers.delete(id);
      project.release(id);
      for (const address of project.addresses.values()) if (address.server === id) address.server = undefined;
      for (const members of project.networks.values()) members.delete(id);
      for (const volume of project.volumes.values()) if (volume.server === id) volume.server = undefined;
      project.world.removeHost(host);
      cloud.publicRules.delete(host.name);
      project.change(operation, host.name, "server deleted");
      return Promise.resolve();
    },
  };
}

function volumeTypes(project: Project): StandInType[] {
  const volume = plainType(
    project,
    "volume",
    {
      token: "hcloud:index/volume:Volume",
      replaceOn: ["location"],
      source: `${SOURCE}volume/resource.go`,
      computed: ["linuxDevice"],
    },
    {
      begin: ({ inputs }, id) => {
        project.volumes.set(id, { location: textOf(inputs["location"]), server: undefined });
        return { linuxDevice: `/dev/disk/by-id/scsi-0HC_Volume_${id}` };
      },
      end: (id) => {
        project.volumes.delete(id);
      },
    },
  );
  const attachment: StandInType = {
    token: "hcloud:index/volumeAttachment:VolumeAttachment",
    replaceOn: ["volumeId", "serverId"],
    source: `${SOURCE}volume/resource_attachment.go`,
    computed: [],
    create: ({ inputs }) => {
      const [id, server] = [String(numberOf(inputs["volumeId"])), String(numberOf(inputs["serverId"]))];
      const found = project.volumes.get(id);
      if (found === undefined) throw apiError("not_found", `volume with ID '${id}' not found`);
      if (found.server !== undefined) throw apiError("volume_already_attached", "volume is attached already");
      if (found.location !== project.server(server).location) {
        throw apiError("invalid_input", "volume and server are in different locations");
      }
      found.server = server;
      return Promise.resolve({ id, outputs: {} });
    },
    delete: ({ olds }) => {
      const found = project.volumes.get(String(numberOf(olds["volumeId"])));
      if (found !== undefined) found.server = undefined;
      return Promise.resolve();
    },
  };
  return [volume, attachment];
}

/** What the API says of a server type. */
function describeType(world: World, inputs: Values): Values {
  const name = textOf(inputs["name"]);
  const type = serverTypeOf(name);
  if (type === undefined) throw apiError("not_found", `server type ${name} not found`);
  return {
    id: serverTypeNames.indexOf(name) + 1,
    name,
    architecture: type.architecture,
    cores: type.cpus,
    memory: type.memoryGiB,
    disk: type.diskGiB,
    locations: type.locations.map((location, id) => ({
      id,
      name: location,
      available: !world.cloud.soldOut.has(`${name} ${location}`),
      recommended: true,
      isDeprecated: false,
      deprecationAnnounced: "",
      unavailableAfter: "",
    })),
  };
}

const describeAddresses = (project: Project, inputs: Values): Values => ({
  id: "primary-ips",
  primaryIps: [...project.addresses]
    .filter(([, { labels }]) => selects(textOf(inputs["withSelector"]), labels))
    .map(([id, { name, type, ip, location }]) => ({ id: Number(id), name, type, ipAddress: ip, location })),
});

const describeServers = (project: Project, inputs: Values): Values => ({
  id: "servers",
  servers: [...project.servers]
    .filter(([, { labels }]) => selects(textOf(inputs["withSelector"]), labels))
    .map(([id, { name, location, labels }]) => ({ id: Number(id), name, location, labels })),
});

/** Stands in for the hcloud provider. One project, whatever the token. */
export function hcloudStandIn(world: World): StandIn {
  const project = new Project(world);
  const group: Omit<StandInType, "create" | "delete"> = {
    token: "hcloud:index/placementGroup:PlacementGroup",
    replaceOn: [],
    source: `${SOURCE}placementgroup/resource.go`,
    computed: [],
  };
  return {
    name: "hcloud",
    version: "1.41.0",
    types: [
      ...networkTypes(project),
      keyType(project),
      ...firewallTypes(project),
      plainType(project, "placement group", group),
      primaryIpType(project),
      serverType(project),
      ...volumeTypes(project),
      ...balancerTypes(project),
    ],
    functions: {
      "hcloud:index/getServerType:getServerType": (inputs) => describeType(world, inputs),
      "hcloud:index/getPrimaryIps:getPrimaryIps": (inputs) => describeAddresses(project, inputs),
      "hcloud:index/getServers:getServers": (inputs) => describeServers(project, inputs),
    },
    // https://github.com/hetznercloud/hcloud-go/blob/v2.47.0/hcloud/client_handler_retry.go; five times by client.go.
    retries: { 429: 5, 502: 5, 504: 5 },
  };
}
