/**
 * Asks ports of a host again and again: `scan-ports.ts <address> 22/tcp 8472/udp …`. A line an answer, or the lack of one:
 * when it was asked (ms), the port, and what it said. Ends with its standard input.
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { LONGEST_ANSWER } from "./port-scan.ts";

const [address = "", ...ports] = process.argv.slice(2);
const EVERY_MS = 100;

/**
 * Every question comes from a port of its own: a firewall lets a conversation go on that it knows, and a port that is used
 * again may be taken for one.
 */
let from = 10_000;
const nextPort = (): number => {
  if (from === 65_535) process.exit(1);
  return from++;
};

type Answer = "open" | "refused" | "silent";

const askTcp = (port: number): Promise<Answer> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port, localPort: nextPort() });
    const end = (answer: Answer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LONGEST_ANSWER, () => end("silent"));
    socket.once("connect", () => end("open"));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => end(code === "ECONNREFUSED" ? "refused" : "silent"));
  });

const askUdp = (port: number): Promise<Answer> =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    const end = (answer: Answer): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end("silent"), LONGEST_ANSWER);
    socket.once("message", () => end("open"));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => end(code === "ECONNREFUSED" ? "refused" : "silent"));
    socket.bind(nextPort(), () => {
      socket.connect(port, address, () => {
        socket.send("hello");
      });
    });
  });

setInterval(() => {
  for (const port of ports) {
    const [number, protocol] = port.split("/");
    const asked = Date.now();
    const answer = protocol === "udp" ? askUdp(Number(number)) : askTcp(Number(number));
    void answer.then((said) => process.stdout.write(`${asked} ${port} ${said}\n`));
  }
}, EVERY_MS);
process.stdin.resume().once("end", () => process.exit(0));
