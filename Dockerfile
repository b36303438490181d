# docker build -t meshtriage .
# docker run --rm meshtriage demo
# docker run --rm -it -v ~/.kube:/home/node/.kube:ro -v "$(command -v kubectl)":/usr/local/bin/kubectl:ro \
#   -v "$(command -v istioctl)":/usr/local/bin/istioctl:ro meshtriage
# kubectl and istioctl are yours: the versions that fit your cluster, and the plugin it logs in with.
FROM node:22-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs && npm pack --ignore-scripts --pack-destination /tmp

FROM node:22-slim
COPY --from=build /tmp/meshtriage-*.tgz /tmp/meshtriage.tgz
# The package brings nothing but itself, so nothing is fetched here.
RUN npm install --global --offline --ignore-scripts /tmp/meshtriage.tgz && rm /tmp/meshtriage.tgz
USER node
WORKDIR /home/node
ENTRYPOINT ["meshtriage"]
