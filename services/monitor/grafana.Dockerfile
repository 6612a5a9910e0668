# Grafana with one source and one dashboard of ours, below /grafana/ of Kuma's site; it calls nobody outside.
FROM grafana/grafana:12.4.3
USER root
RUN mkdir /data && chown 10008:10008 /data
COPY services/monitor/grafana /etc/countersign
ENV GF_PATHS_PROVISIONING=/etc/countersign/provisioning GF_PATHS_DATA=/data GF_PATHS_PLUGINS=/data/plugins GF_LOG_MODE=console \
    GF_LOG_LEVEL=warn GF_SERVER_SERVE_FROM_SUB_PATH=true GF_USERS_ALLOW_SIGN_UP=false GF_SECURITY_COOKIE_SECURE=true \
    GF_SECURITY_ADMIN_USER=countersign GF_SECURITY_DISABLE_GRAVATAR=true GF_ANALYTICS_REPORTING_ENABLED=false \
    GF_ANALYTICS_CHECK_FOR_UPDATES=false GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false GF_NEWS_NEWS_FEED_ENABLED=false \
    GF_PLUGINS_PREINSTALL_DISABLED=true GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH=/etc/countersign/dashboards/countersign.json
USER 10008:10008
EXPOSE 3000
