import { FIREWALL_TABLE } from "../firewall/rules.ts";

/** What host-firewall.sh later replaces, under the same names: the rules that a restart brings back, and who loads them. */
const RULES_FILE = "/etc/hybrid-k3s/firewall.nft";
const FIREWALL_UNIT = "hybrid-k3s-firewall.service";

/** Parts of user data, in the order in which they stand there. For `sh`, under `set -eu`. */
export interface FirstFirewall {
  /** Before anything else: nobody connects any more. */
  readonly shut: string;
  /** Loads the rules, and has every restart load them. Asks for the functions of mesh-client.sh before it. */
  readonly stand: string;
  /** Where sshd would be started else: only if the rules stand. */
  readonly open: string;
  /** After the mesh: once more, if the rules did not stand the first time. */
  readonly again: string;
}

/**
 * The firewall of a machine's first boot. sshd stays off until it stands, also over a restart: a machine that cannot have
 * one is not open instead.
 * @param sshd name of sshd's unit. Ubuntu listens by a socket's, which Debian and Amazon Linux have but do not use
 * @param rules nftables text: one table, as `hostFirewallRules` writes it
 */
export function firstFirewall(sshd: string, rules: string): FirstFirewall {
  const units = `${sshd}.socket ${sshd}.service`;
  return {
    shut: `# Nobody connects before the firewall stands. A mask holds over a restart, and against updates that start sshd anew.
systemctl stop ${units} 2>/dev/null || true
systemctl mask --quiet ${units} 2>/dev/null || true
`,
    stand: `cat >${RULES_FILE} <<'HYBRID_K3S'
table ${FIREWALL_TABLE}
delete table ${FIREWALL_TABLE}
${rules.trimEnd()}
HYBRID_K3S
close_host() {
  if ! command -v nft >/dev/null; then
    if command -v apt-get >/dev/null; then
      (apt_get update) || true
      set -- apt_get --no-install-recommends install nftables
    else
      set -- package_manager dnf -y -q install nftables
    fi
    if ! "$@"; then
      problem="nftables could not be installed: $problem"
      return 1
    fi
  fi
  if ! problem=$(nft -f ${RULES_FILE} 2>&1); then
    problem="nftables does not take the rules: $(printf '%s\\n' "$problem" | sed -n 1p | cut -c1-200)"
    return 1
  fi
  cat >/etc/systemd/system/${FIREWALL_UNIT} <<TEXT
${unitText().trimEnd()}
TEXT
  chmod 644 /etc/systemd/system/${FIREWALL_UNIT}
  systemctl daemon-reload
  if ! systemctl enable --quiet --now ${FIREWALL_UNIT}; then
    problem="a restart would lose the rules: ${FIREWALL_UNIT} could not be enabled"
    return 1
  fi
  echo "the firewall stands"
}
start_sshd() {
  systemctl unmask --quiet ${units}
  if systemctl is-enabled --quiet ${sshd}.socket 2>/dev/null; then systemctl start ${sshd}.socket; fi
  systemctl restart ${sshd}.service || echo "sshd does not start: $(systemctl is-active ${sshd}.service)"
}
stands=yes
close_host || stands=no
[ "$stands" = yes ] || echo "sshd stays off: $problem"
`,
    open: `[ "$stands" = no ] || start_sshd\n`,
    again: `if [ "$stands" = no ]; then
  if close_host; then start_sshd; else echo "sshd stays off: $problem"; fi
fi
`,
  };
}

/** As host-firewall.sh writes it: before any interface is up, and again after Debian's own service has emptied all tables. */
const unitText = (): string => `[Unit]
Description=Host firewall (hybrid-k3s)
Documentation=man:nft(8)
DefaultDependencies=no
ConditionPathExists=${RULES_FILE}
Wants=network-pre.target
After=local-fs.target systemd-modules-load.service nftables.service
Before=network-pre.target k3s.service k3s-agent.service shutdown.target
Conflicts=shutdown.target
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$(command -v nft) -f ${RULES_FILE}
ExecReload=$(command -v nft) -f ${RULES_FILE}

[Install]
WantedBy=sysinit.target
`;
