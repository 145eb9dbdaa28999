import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { Session } from "./engine/session.ts";
import { readStackConfig } from "./engine/stack-config.ts";
import { describeSteps, countSteps } from "./engine/steps.ts";
import { World } from "./world/world.ts";
import { populate } from "./population.ts";
import { commandStandIn } from "./providers/command.ts";
import { randomStandIn } from "./providers/random.ts";
import { tlsStandIn } from "./providers/tls.ts";
import { kubernetesStandIn } from "./providers/kubernetes.ts";
import { simulatedCommands } from "./commands/simulated.ts";
import { program } from "../stacks/program.ts";
import { parseSettings } from "../stacks/settings.ts";
const stack = process.argv[2] ?? "dev";
const project = parse(readFileSync("Pulumi.yaml","utf8"));
const config = readStackConfig(readFileSync(`Pulumi.${stack}.yaml`,"utf8"), project.name);
const settings = parseSettings(Object.fromEntries(Object.entries(config.plain).map(([k,v])=>[k.split(":")[1]!,v])), readFileSync("regions.yaml","utf8"));
const world = new World(); populate(world, settings);
const s = await Session.open({cli:{path:"/root/.cache/hybrid-k3s/pulumi-3.259.0/pulumi",version:"3.259.0",source:"cache"},stack,project,config,standIns:[commandStandIn(simulatedCommands(world)),randomStandIn,tlsStandIn,kubernetesStandIn(world)],program:()=>program() as any,disturb:world.faults.disturb,onFinished:x=>console.log(x.op,x.name)});
try {
 for (const c of ["preview","up","preview","destroy"] as const) { const r = await s[c](); console.log(c, r.seconds, countSteps(r.steps), r.failure?.slice(0,3000)); for (const m of r.messages) console.log("  ",m.severity,m.resource,m.text.slice(0,600)); if(c==="preview") console.log(describeSteps(r.steps).slice(0,10)); }
} finally { await s.close(); }
