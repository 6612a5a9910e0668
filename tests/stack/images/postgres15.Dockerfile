# PostgreSQL 15 from Debian bookworm, with a cluster in the image: it lives as long as its container and is not synced.
ARG BASE
FROM ${BASE}
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
 && echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe \
 && printf 'path-exclude=/usr/share/%s/*\n' doc man locale >/etc/dpkg/dpkg.cfg.d/lean \
 && mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*
USER postgres
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/books
RUN initdb --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --no-sync >/dev/null \
 && echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf" \
 && printf "%s\n" "listen_addresses = '*'" "fsync = off" "full_page_writes = off" "synchronous_commit = off" >>"$PGDATA/postgresql.conf" \
 && pg_ctl -w start >/dev/null && psql -qc "CREATE ROLE odoo LOGIN CREATEDB PASSWORD 'odoo-test'" && pg_ctl -w stop >/dev/null
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
