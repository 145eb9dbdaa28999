/** Where the drop-in stands. sshd takes the first value it reads, so ours comes before what an image brings. */
export const SSHD_CONFIG_PATH = "/etc/ssh/sshd_config.d/00-hybrid-k3s.conf";

/**
 * What sshd allows on a machine that hybrid-k3s made: one host key, logins by key only.
 * https://man.openbsd.org/sshd_config
 */
export const SSHD_CONFIG = `# Kept by hybrid-k3s.
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 30
`;
