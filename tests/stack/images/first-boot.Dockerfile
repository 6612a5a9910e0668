# Debian 13 as far as the first boot of a machine looks at it, with what that installs: systemd is started in it.
ARG BASE
FROM ${BASE}
RUN printf 'path-exclude=/usr/share/%s/*\n' man locale >/etc/dpkg/dpkg.cfg.d/lean \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    ca-certificates cloud-guest-utils cloud-init dbus docker-cli docker-compose docker.io e2fsprogs iproute2 iptables \
    iptables-persistent locales lsb-release netplan.io nftables openssh-server openssl procps python3 sudo \
    systemd-resolved systemd-sysv unattended-upgrades util-linux \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*
