FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source

# The server is compiled to native code, and linked by what these bring.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends clang zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*

# Project files first: the restored packages stay cached until one of these changes.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/Resp/KvServer.Resp.csproj src/Resp/
COPY src/Storage/KvServer.Storage.csproj src/Storage/
COPY src/Server/KvServer.Server.csproj src/Server/
# Publishing knows its platform; the restore has to know the same.
RUN dotnet restore src/Server -p:_IsPublishing=true -p:PublishAot=true

COPY .editorconfig BannedSymbols.txt ./
COPY src/ src/
RUN dotnet publish src/Server --configuration Release --no-restore -p:PublishAot=true --output /app \
    && rm -f /app/*.dbg /app/*.pdb /app/*.xml

FROM mcr.microsoft.com/dotnet/runtime-deps:10.0 AS runtime

# Before any package takes the number: volumes remember it.
RUN groupadd --system --gid 999 kvserver \
    && useradd --system --uid 999 --gid kvserver --home-dir /data --no-create-home --shell /usr/sbin/nologin kvserver \
    && mkdir /data \
    && chown kvserver:kvserver /data

# redis-cli, for people inside the container.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends redis-tools \
    && rm -rf /var/lib/apt/lists/*

COPY --from=build /app /app
COPY docker/kvserver.conf /etc/kvserver/kvserver.conf
COPY --chmod=755 docker/entrypoint.sh docker/healthcheck.sh /usr/local/bin/
RUN ln -s /app/kvserver /usr/local/bin/kvserver \
    && ln -s /app/kvserver /usr/local/bin/redis-server

# The collector lets garbage gather up to the size of the processor's cache, tens of megabytes, before it looks; with 16 MB
# (the number is hexadecimal) what connections and INFO leave behind costs that much less memory. Only the environment can
# say so.
ENV DOTNET_GCgen0size=1000000

# Without the sockets and pipes of debuggers in /tmp, which nothing here should open and a read-only container refuses.
ENV DOTNET_EnableDiagnostics=0

# The entrypoint starts as root, makes the volume the server's own, and goes on as kvserver; with --user it starts as that.
WORKDIR /data
VOLUME /data
EXPOSE 6379
STOPSIGNAL SIGTERM
# A server that loads is not healthy yet. The first good answer ends the time it has for that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ["healthcheck.sh"]
ENTRYPOINT ["entrypoint.sh"]
CMD ["kvserver"]
