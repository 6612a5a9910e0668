#!/bin/sh
# Once, at the end of the first boot: units on, Docker and its compose installed. Running it again changes nothing.
set -eu
export DEBIAN_FRONTEND=noninteractive

# Into the report that `pulumi up` waits for, as far as this machine may write it by now; the log has it anyway.
tell() {
    python3 /usr/local/lib/countersign/vm say "$@" || true
}

systemctl daemon-reload
# Before all that may go wrong: what this prints is shipped even when it never ends.
systemctl enable --now countersign-logs.timer || true

# A mirror that is away, or an address that comes later, ends cloud-init's own installing. This runs once, so it goes on.
install() {
    until apt-get install -y -qq --no-install-recommends "$@"; do
        tell working packages "apt-get does not install $*; it is tried again and again, and the log says why"
        sleep "${COUNTERSIGN_PAUSE:-30}"
        apt-get update -qq || true
    done
}
install ca-certificates e2fsprogs nftables openssl python3 unattended-upgrades

# Oracle's images come with rules of their own that let SSH in and nothing else; ours take their place.
systemctl disable --now netfilter-persistent.service 2>/dev/null || true
if command -v iptables >/dev/null 2>&1 && iptables -S FORWARD 2>/dev/null | grep -q -- '--reject-with icmp-host-prohibited'; then
    iptables -D FORWARD -j REJECT --reject-with icmp-host-prohibited || true
    iptables -F INPUT || true # as it is after every restart
fi
systemctl enable --now countersign-firewall.service
# An image that has Docker already started it before its volume was there: it would go on beneath what is mounted now.
systemctl is-active --quiet countersign-ready.service || systemctl stop docker.socket docker.service 2>/dev/null || true
systemctl enable countersign-ready.service
# Its volume or its rights may be hours behind, where an `up` broke off between them.
until systemctl start countersign-ready.service; do sleep "${COUNTERSIGN_PAUSE:-30}"; done

# Ubuntu and Debian call compose's package differently.
compose=
for name in docker-compose-v2 docker-compose; do
    if apt-cache show "$name" >/dev/null 2>&1; then compose=$name; break; fi
done
[ -n "$compose" ] || {
    echo "countersign: no package of compose is known here" >&2
    tell failed packages "apt knows no package of compose, and the first boot ended: is machine.image one of Ubuntu 24.04?"
    exit 1
}
client=
apt-cache show docker-cli >/dev/null 2>&1 && client=docker-cli
# shellcheck disable=SC2086 # empty where the engine's package brings it
install docker.io $client "$compose"
systemctl enable --now docker.service countersign.timer countersign-drill.timer
