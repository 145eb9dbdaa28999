const services = [
  ...[80, 443, 2379, 6443, 10_250, 25_565].map((port) => `TCP-LISTEN:${port},fork,reuseaddr,pf=ip6,ipv6only=0`),
  ...[19_132, 41_641, 8472].map((port) => `UDP-LISTEN:${port},fork,reuseaddr`),
].map((listen) => `systemd-run --quiet socat ${listen} EXEC:cat`);

/**
 * The bash program that gives a host what stands on a node: services that echo; a pod at 10.64.0.5 behind cni0, and a
 * NodePort, 30080, that is handed on to it as kube-proxy does; a mesh's interface, tailscale0, to a far host at 100.64.0.2
 * whose own MTU is larger; and tables of others. Namespaces `pod` and `far` are for looking at them from inside.
 */
export const NODE_SERVICES = `set -e; sysctl -qw net.ipv4.ip_forward=1 2>/dev/null || echo 1 >/proc/sys/net/ipv4/ip_forward
${services.join("\n")}
ip link add cni0 type bridge; ip address add 10.64.0.1/24 dev cni0; ip link set cni0 up
ip netns add pod; ip link add veth0 type veth peer name eth0 netns pod; ip link set veth0 master cni0 up
ip -n pod address add 10.64.0.5/24 dev eth0; ip -n pod link set eth0 up; ip -n pod route add default via 10.64.0.1
ip netns add far; ip link add tailscale0 mtu 1280 type veth peer name eth0 mtu 1500 netns far; ip link set tailscale0 up
ip address add 100.64.0.1/24 dev tailscale0
ip -n far address add 100.64.0.2/24 dev eth0; ip -n far link set eth0 up; ip -n far route add default via 100.64.0.1
systemd-run --quiet ip netns exec pod socat TCP-LISTEN:80,fork,reuseaddr EXEC:cat
systemd-run --quiet ip netns exec far socat TCP-LISTEN:80,fork,reuseaddr EXEC:cat
iptables -t nat -A PREROUTING -p tcp --dport 30080 -j DNAT --to-destination 10.64.0.5:80
iptables -t nat -A POSTROUTING -s 10.64.0.0/16 ! -d 10.64.0.0/16 -j MASQUERADE
iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER
nft 'table inet theirs { set s { type ipv4_addr; elements = { 192.0.2.1 }; }; chain c { type filter hook input priority 10; ip saddr @s drop; }; }'`;
