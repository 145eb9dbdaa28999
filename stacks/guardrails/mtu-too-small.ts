import { compatibility } from "../../components/mesh/compatibility.ts";
import { VXLAN_OVERHEAD } from "../../components/network/mtu.ts";
import { pairOf } from "../mesh-pair.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** A QUIC client sends datagrams of 1200 bytes and more, with 28 of headers on IPv4, and takes none that is cut up: RFC 9000, section 14. */
const LEAST_FOR_QUIC = 1228;

/** What pods send fits through the layers below, and is large enough for HTTP/3. Pods are IPv4 only; IPv6 would need 1280. */
export const mtuTooSmall: Guardrail = {
  id: "mtu-too-small",
  reason: "a packet that does not fit on its way is lost without a word, and QUIC (HTTP/3) needs 1228 bytes",
  severity: "ask",
  check: (settings) => {
    const pair = pairOf(settings);
    const { underlay, pods } = compatibility(pair).settings.mtus;
    const stated = settings.kubernetes.cilium?.values["MTU"];
    if (typeof stated === "number" && stated > underlay) {
      return [
        problemText("kubernetes.cilium.values.MTU", String(stated), {
          allowed: `at most ${underlay}, what ${pair.mesh === "none" ? "the sites' LANs carry" : `${pair.mesh} carries`}`,
          fix: "remove it: the right one is set without it",
        }),
      ];
    }
    const least = typeof stated === "number" ? stated - VXLAN_OVERHEAD : pods;
    if (least >= LEAST_FOR_QUIC) return [];
    const wireguard = settings.kubernetes.flannelBackend === "wireguard-native";
    return [
      problemText("kubernetes", `an MTU of ${least} for pods`, {
        allowed: `at least ${LEAST_FOR_QUIC}`,
        fix: wireguard
          ? "remove kubernetes.flannelBackend: the mesh encrypts between sites already; or accept that HTTP/3 falls back"
          : "remove kubernetes.cilium.values.MTU, or accept that HTTP/3 falls back",
      }),
    ];
  },
};
