# One node. Its home is a volume: make it with `init`, then `run`.
#   docker build -t nearnet .
#   docker run --rm -v nearnet:/var/lib/nearnet nearnet init --chain-id testnet
#   docker run -d -v nearnet:/var/lib/nearnet -p 24567:24567 nearnet
FROM python:3.12 AS build
WORKDIR /src
RUN python -m venv /opt/nearnet
COPY pyproject.toml setup.py README.md LICENSE-MIT LICENSE-APACHE ./
COPY src ./src
RUN /opt/nearnet/bin/pip install --no-cache-dir --disable-pip-version-check ".[otel]" \
 && /opt/nearnet/bin/pip uninstall --yes --disable-pip-version-check pip

FROM python:3.12-slim
COPY --from=build /opt/nearnet /opt/nearnet
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/nearnet nearnet
ENV PATH=/opt/nearnet/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NEARNET_HOME=/var/lib/nearnet \
    NEARNET_NETWORK__ADDR=0.0.0.0:24567 \
    NEARNET_RPC__ADDR=127.0.0.1:3030 \
    NEARNET_RPC__PROMETHEUS_ADDR=0.0.0.0:9615 \
    NEARNET_NEARNET__LOG_FORMAT=json
USER 10001:10001
VOLUME /var/lib/nearnet
# Peers, metrics. The RPC answers on the container's own loopback: it has admin methods.
EXPOSE 24567 9615
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
  CMD ["nearnet", "status", "--rpc-addr", "127.0.0.1:3030", "--json"]
ENTRYPOINT ["nearnet"]
CMD ["run"]
