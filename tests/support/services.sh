# Starts a PostgreSQL server and an S3 server (Ceph radosgw) for one test run and stops them at its end.
#
# Both start in the background, in a temporary folder, on free ports of 127.0.0.1, without fsync:
# `start_services` exports where they will be, `wait_for_services` waits until they are there.

start_services() {
    SERVICES=$(mktemp -d "${TMPDIR:-/tmp}/symbolist-services.XXXXXX")
    chmod 711 "$SERVICES"
    trap stop_services EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    read -r POSTGRES_PORT MON_PORT RGW_PORT < <(free_ports 3)
    export SYMBOLIST_TEST_POSTGRES="postgres://symbolist:symbolist@127.0.0.1:$POSTGRES_PORT/symbolist"
    export SYMBOLIST_TEST_S3_ENDPOINT="http://127.0.0.1:$RGW_PORT"
    export SYMBOLIST_TEST_S3_BUCKET=symbolist
    export SYMBOLIST_TEST_S3_KEY=symbolist-test-key
    export SYMBOLIST_TEST_S3_SECRET=symbolist-test-secret

    start_postgres >"$SERVICES/postgres.log" 2>&1 &
    POSTGRES_START=$!
    start_ceph >"$SERVICES/ceph.log" 2>&1 &
    CEPH_START=$!
}

wait_for_services() {
    wait "$POSTGRES_START" || { tail -n 40 "$SERVICES/postgres.log" >&2; fail "PostgreSQL did not start"; }
    wait "$CEPH_START" || { tail -n 40 "$SERVICES/ceph.log" >&2; fail "the S3 server did not start"; }
}

# Prints nothing: the last lines of a run are the test runner's.
stop_services() {
    local status=$?
    trap '' INT TERM HUP
    {
        kill "$POSTGRES_START" "$CEPH_START"
        wait "$POSTGRES_START" "$CEPH_START"
        [ ! -e "$SERVICES/postgres/postmaster.pid" ] || kill -QUIT "$(head -n 1 "$SERVICES/postgres/postmaster.pid")"
        local pid
        for pid in "$SERVICES"/ceph/*.pid; do
            kill -KILL "$(cat "$pid")"
        done
        rm -rf "$SERVICES"
    } >/dev/null 2>&1 || true
    exit "$status"
}

free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for it in sockets:
    it.bind(("127.0.0.1", 0))
print(*(it.getsockname()[1] for it in sockets))
PYTHON
}

# initdb refuses root: the package's own user runs it then.
start_postgres() {
    set -euo pipefail
    local bin data="$SERVICES/postgres" as=()
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    mkdir "$data"
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$data"
        as=(runuser -u postgres --)
    fi
    cd "$data"
    "${as[@]}" "$bin/initdb" --pgdata "$data" --username symbolist --auth trust --encoding UTF8 --locale C --no-sync
    "${as[@]}" "$bin/pg_ctl" --pgdata "$data" --log "$data/server.log" --wait --timeout 180 start -o \
        "-p $POSTGRES_PORT -k $data -c listen_addresses=127.0.0.1 -c max_connections=400 -c fsync=off -c synchronous_commit=off -c full_page_writes=off" \
        || { cat "$data/server.log"; return 1; }
    "${as[@]}" "$bin/createdb" --host 127.0.0.1 --port "$POSTGRES_PORT" --username symbolist symbolist
}

# One monitor, one object store in memory, one gateway; no manager, no authentication among them.
start_ceph() {
    set -euo pipefail
    local home="$SERVICES/ceph" uuid
    uuid=$(cat /proc/sys/kernel/random/uuid)
    mkdir "$home"
    cd "$home"
    cat >ceph.conf <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v1:127.0.0.1:$MON_PORT/0]
public network = 127.0.0.0/8
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
osd crush chooseleaf type = 0
osd class update on start = false
osd objectstore = memstore
memstore device bytes = 4294967296
run dir = $home
admin socket = $home/\$cluster-\$name.asok
log file = $home/\$cluster-\$name.log
mon cluster log file = $home/cluster.log
pid file = $home/\$name.pid
mon data = $home/mon
osd data = $home/osd
osd journal = $home/osd/journal
keyring = $home/keyring
crash dir = $home/crash
rgw frontends = beast endpoint=127.0.0.1:$RGW_PORT
rgw data = $home/rgw
CONF
    mkdir mon osd rgw crash
    export CEPH_CONF="$home/ceph.conf"
    monmaptool --create --addv a "[v1:127.0.0.1:$MON_PORT/0]" --fsid "$(sed -n 's/^fsid = //p' ceph.conf)" monmap
    ceph-mon --mkfs -i a --monmap monmap
    ceph-mon -i a
    timeout 180 ceph osd new "$uuid"
    ceph-osd -i 0 --mkfs --osd-uuid "$uuid"
    # On a busy machine it may ask the monitor before it has been told the cluster's id, and give up.
    retry ceph-osd -i 0
    radosgw -n client.rgw
    timeout 180 radosgw-admin user create --uid symbolist --display-name symbolist \
        --access-key "$SYMBOLIST_TEST_S3_KEY" --secret "$SYMBOLIST_TEST_S3_SECRET"
    cd - >/dev/null
    python3 tests/support/create-bucket.py
}

# Five tries, a second apart.
retry() {
    local try
    for try in 1 2 3 4; do
        "$@" && return
        sleep 1
    done
    "$@"
}
