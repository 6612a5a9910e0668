# The one Uptime Kuma 2 that npm has, in place of the official image: /app, dumb-init, port 3001. SQLite's binding for Node
# is Debian's, which npm would compile for minutes.
ARG BASE
FROM ${BASE}
RUN printf 'path-exclude=/usr/share/%s/*\n' doc man locale >/etc/dpkg/dpkg.cfg.d/lean \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates dumb-init nodejs node-sqlite3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*
COPY node_modules /app/node_modules
RUN binding=/app/node_modules/@louislam/sqlite3/lib/binding/napi-v6-linux-$(node -p process.arch) \
 && mkdir -p "$binding" && cp /usr/lib/*/nodejs/sqlite3/lib/binding/napi-v6-*/node_sqlite3.node "$binding" \
 && cp -r /app/node_modules/uptime-kuma/. /app && rm -r /app/node_modules/uptime-kuma \
 && cp /app/db/patch-*.sql /app/db/old_migrations/
WORKDIR /app
EXPOSE 3001
ENTRYPOINT ["/usr/bin/dumb-init", "--"]
CMD ["node", "server/server.js"]
