#!/bin/sh
# Once, at the end of the first boot: units on, Docker and its compose installed. Running it again changes nothing.
set -eu
export DEBIAN_FRONTEND=noninteractive

# A mirror that is away for a while ends cloud-init's own installing, and with it a first boot that nobody looks at.
install() {
    left=40
    until apt-get install -y -qq --no-install-recommends "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep "${COUNTERSIGN_PAUSE:-30}"
        apt-get update -qq || true
    done
}
install ca-certificates e2fsprogs nftables openssl python3 unattended-upgrades

systemctl daemon-reload
# Oracle's images come with rules of their own that let SSH in and nothing else; ours take their place.
systemctl disable --now netfilter-persistent.service 2>/dev/null || true
if command -v iptables >/dev/null 2>&1 && iptables -S FORWARD 2>/dev/null | grep -q -- '--reject-with icmp-host-prohibited'; then
    iptables -D FORWARD -j REJECT --reject-with icmp-host-prohibited || true
    iptables -F INPUT || true # as it is after every restart
fi
systemctl enable --now countersign-firewall.service
# An image that has Docker already started it before its volume was there: it would go on beneath what is mounted now.
systemctl is-active --quiet countersign-ready.service || systemctl stop docker.socket docker.service 2>/dev/null || true
systemctl enable --now countersign-ready.service

# Ubuntu and Debian call compose's package differently.
compose=
for name in docker-compose-v2 docker-compose; do
    if apt-cache show "$name" >/dev/null 2>&1; then compose=$name; break; fi
done
[ -n "$compose" ] || { echo "countersign: no package of compose is known here" >&2; exit 1; }
client=
apt-cache show docker-cli >/dev/null 2>&1 && client=docker-cli
# shellcheck disable=SC2086 # empty where the engine's package brings it
install docker.io $client "$compose"
systemctl enable --now docker.service countersign-logs.timer countersign.timer countersign-drill.timer
