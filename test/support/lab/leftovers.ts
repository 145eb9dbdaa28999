/** What a region's scripts may leave on a host, and what a clean host has none of. */
export const LEFTOVERS =
  "ls -d /usr/local/bin/* /etc/rancher /var/lib/rancher /var/lib/kubelet /etc/hybrid-k3s /etc/systemd/system/k3s* " +
  "/etc/sysctl.d/90-hybrid-k3s.conf /var/tmp/hybrid-k3s-* 2>/dev/null; pgrep -af '/usr/local/bin/k3s (server|agent)' || true";
