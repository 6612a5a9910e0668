# Run these through ./just, which brings just and uv along: `./just demo`, `./just test -k claim`.

set positional-arguments

export UV_PYTHON := env("UV_PYTHON", "python3")
export UV_PYTHON_DOWNLOADS := "never"

demo_bin := justfile_directory() / ".tools/demo/bin"
dev_bin := justfile_directory() / ".tools/dev/bin"

# List the recipes
[private]
default:
    @just --list --unsorted

# Start the stack on this machine, or bring it to what this checkout says; prints the next step (`--env FILE`)
[no-exit-message]
up *ARGS:
    @"$UV_PYTHON" -m tools.stack up "$@"

# Stop the stack; data and secrets stay
[no-exit-message]
down *ARGS:
    @"$UV_PYTHON" -m tools.stack down "$@"

# Every service, its state and its health
[no-exit-message]
status *ARGS:
    @"$UV_PYTHON" -m tools.stack status "$@"

# What the services say; arguments go to compose (`-f`, a service's name)
[no-exit-message]
logs *ARGS:
    @"$UV_PYTHON" -m tools.stack logs "$@"

# A code for your own machine: `countersign connect URL --code CODE`
[no-exit-message]
join-code *ARGS:
    @"$UV_PYTHON" -m tools.stack join-code "$@"

# Let in an agent that runs on a machine of its own: `./just admit NAME TOKEN_SHA256 KEY`, as `./just up` prints it there
[no-exit-message]
admit *ARGS:
    @"$UV_PYTHON" -m tools.stack admit "$@"

# Put an agent out for good: `./just revoke NAME`
[no-exit-message]
revoke *ARGS:
    @"$UV_PYTHON" -m tools.stack revoke "$@"

# Name, hash of the token and public key of an agent alone: what `./just admit` takes
[no-exit-message]
identity *ARGS:
    @"$UV_PYTHON" -m tools.stack identity "$@"

# Run this checkout on newer base images; goes back by itself when that does not get well
[no-exit-message]
upgrade *ARGS:
    @"$UV_PYTHON" -m tools.stack upgrade "$@"

# Run the release before this one again; data stays
[no-exit-message]
rollback *ARGS:
    @"$UV_PYTHON" -m tools.stack rollback "$@"

# Bring the stack's newest backups up on containers of their own and prove them; weekly, by a timer of the host
[no-exit-message]
drill *ARGS:
    @"$UV_PYTHON" -m tools.stack drill "$@"

# Show the whole loop on this machine: mail in, draft, your approval, mail out
[no-exit-message]
demo *ARGS: _demo-env
    @"{{ demo_bin }}/python" -m demo "$@"

# Take the pictures of the approvals page that docs/page.md shows (Chromium)
[no-exit-message]
page-pictures: _stack-programs _dev-env
    @"{{ dev_bin }}/python" -m tests.stack.page.pictures

# Take the picture of the demo that the README shows
[no-exit-message]
picture: _demo-env
    @"{{ demo_bin }}/python" -m demo --yes --svg docs/demo.svg

# Render the tables of docs/protocol.md and docs/proof.md from the code and the tests
[no-exit-message]
tables: _dev-env
    @"{{ dev_bin }}/python" -m tools.protocol_tables
    @"{{ dev_bin }}/python" -m tools.proof_tables

# Run the tests, all of them on two cores; arguments go to pytest (`./just test infra`: those of production alone)
[no-exit-message]
test *ARGS: _dev-env
    @if [ "${1:-}" = infra ]; then shift; exec just _test-infra "$@"; fi; \
    exec "{{ dev_bin }}/python" -m pytest {{ if ARGS == "" { "-n 2 --durations=15" } else { "" } }} "$@"

# Run the long proofs: kill sweeps and simulations (needs openssh-client, strace, syncthing, systemd-analyze)
[no-exit-message]
prove *ARGS: _prove-programs _dev-env _agentdojo-env
    @"{{ dev_bin }}/python" -m pytest -m prove --durations=15 {{ if ARGS == "" { "-n 2 --dist loadgroup" } else { "" } }} "$@"

# Run the tests that need real servers, in containers (Docker; as root on Debian it installs and starts what it needs)
[no-exit-message]
test-stack *ARGS: _stack-programs _dev-env _stack-env
    @"{{ dev_bin }}/python" -m tests.stack
    @failed=0; {{ if ARGS == "" { "'" + just_executable() + "' _test-container || failed=1;" } else { "" } }} \
    "{{ dev_bin }}/python" -m pytest -m stack --durations=10 {{ if ARGS == "" { "-n 2 --dist loadgroup" } else { "" } }} "$@" && exit $failed

# Bring the newest backups up on fresh containers and prove them: `--config FILE`, else of an installation made for it
[no-exit-message]
restore-drill *ARGS: _stack-programs _dev-env
    @"{{ dev_bin }}/python" -m tests.stack.drill "$@"

# Restore for real, into places that are empty: `./just restore FILE vault books`, FILE being the backups' settings
[no-exit-message]
restore FILE *KINDS: _stack-programs _dev-env
    @file=$1; shift; "{{ dev_bin }}/python" -m backup --config "$file" restore "$@"

# Run everything at full counts, for hours; without arguments `./just test-vm` too
[no-exit-message]
soak *ARGS: _prove-programs _stack-programs _dev-env
    @"{{ dev_bin }}/python" -m pytest -m soak {{ if ARGS == "" { "-n 2 --dist loadgroup" } else { "" } }} "$@"
    @{{ if ARGS == "" { "exec '" + just_executable() + "' test-vm" } else { "true" } }}

# Measure, and compare with what else could do it (needs openssh-server, syncthing, iproute2)
[no-exit-message]
bench *ARGS: _bench-programs _dev-env
    @"{{ dev_bin }}/python" -m tests.bench "$@"

# Format, lint, types, layers, tests: what has to be green before a commit
check: (fmt "--check") lint types layers test

# Format the code (`--check` only looks)
[no-exit-message]
fmt *ARGS: _dev-env
    @"{{ dev_bin }}/ruff" format "$@" .

# Lint with ruff (`--fix` repairs)
[no-exit-message]
lint *ARGS: _dev-env
    @"{{ dev_bin }}/ruff" check "$@" .

# Check the types, strictly; infra's in its own environment
[no-exit-message]
types *ARGS: _dev-env _infra-env
    @"{{ dev_bin }}/mypy" "$@"
    @{{ if ARGS == "" { "cd infra && ../.tools/infra/bin/mypy" } else { "true" } }}

# Check who may import whom
[no-exit-message]
layers: _dev-env
    @"{{ dev_bin }}/lint-imports"

# Let Cloud read a Gmail account, and only read: `./just gmail-login --client FILE --into FILE` (docs/runbook.md)
[no-exit-message]
gmail-login *ARGS: _demo-env
    @"{{ demo_bin }}/python" -m cloud_agent gmail-login "$@"

# How well the drafter judges and drafts: the labelled mails (`--drafter FILE` for a model, `--wrong`, `--write`);
# `--agentdojo`: what AgentDojo's attacks change when the model obeys them (docs/agentdojo.md)
[no-exit-message]
eval *ARGS: _dev-env
    @if [ "${1:-}" = --agentdojo ]; then shift; exec "{{ just_executable() }}" _eval-agentdojo "$@"; fi; \
    exec "{{ dev_bin }}/python" -m tests.eval "$@"

# What `./just eval --agentdojo` runs
[no-exit-message]
_eval-agentdojo *ARGS: _agentdojo-env
    @"{{ dev_bin }}/python" -m tests.agentdojo "$@"

# Check the invariants of a vault: `./just doctor --help`
[no-exit-message]
doctor *ARGS: _demo-env
    @"{{ demo_bin }}/countersign" doctor "$@"

# Ask for what a stack on Oracle Cloud needs, and write infra/Pulumi.STACK.yaml; no secret is asked for
[no-exit-message]
configure STACK: _infra-env
    @cd infra && exec ../.tools/infra/bin/python -m infra.configure "$1"

# What `./just deploy STACK` would change on Oracle Cloud; like the three below by Pulumi (docs/infra.md)
[no-exit-message]
preview STACK *ARGS: _pulumi _infra-env
    @stack=$1; shift; cd infra && exec "$(engine/installed)" preview --stack "$stack" --diff "$@"

# Bring a stack on Oracle Cloud to what its settings say; asks before it does
[no-exit-message]
deploy STACK *ARGS: _pulumi _infra-env
    @stack=$1; shift; cd infra && exec "$(engine/installed)" up --stack "$stack" "$@"

# Take a stack away but for what holds data; asks before it does
[no-exit-message]
destroy STACK *ARGS: _pulumi _infra-env
    @stack=$1; shift; cd infra && exec "$(engine/installed)" destroy --stack "$stack" --exclude-protected "$@"

# Whether somebody changed a stack by hand: ends with a failure when they did
[no-exit-message]
drift STACK *ARGS: _pulumi _infra-env
    @stack=$1; shift; cd infra && exec "$(engine/installed)" preview --stack "$stack" --refresh --expect-no-changes --non-interactive "$@"

# An archive of this commit for `release` in a stack's settings; prints its hash
[no-exit-message]
release VERSION:
    @mkdir -p dist && git archive --format=tar.gz --prefix="countersign-$1/" -o "dist/countersign-$1.tar.gz" HEAD && sha256sum "dist/countersign-$1.tar.gz"

# The program of infra/, run inline by the real Pulumi engine, with a double for Oracle (Pulumi, or Go, which builds it)
[no-exit-message]
test-engine *ARGS: _infra-env
    @cd infra && exec ../.tools/infra/bin/python -W ignore::ResourceWarning -m pytest -m engine \
        -W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning "$@" # Pulumi leaves a loop open

# The first boot for real, in a VM by QEMU, twice, and this commit's release in it (root on Debian; an hour without KVM)
[no-exit-message]
test-vm *ARGS: _vm-programs _stack-programs _dev-env _stack-env _infra-env
    @cd infra && exec ../.tools/infra/bin/python -m pytest -m vm -o faulthandler_timeout=3600 "$@"

# The first boot in a container, up to this commit's release and once more: a part of `./just test-stack`
_test-container *ARGS: _stack-programs _dev-env _stack-env _infra-env
    @cd infra && exec ../.tools/infra/bin/python -m pytest -m container --durations=10 "$@"

# Start the next architecture decision record: `./just adr "Why the hub is one process"`
[no-exit-message]
adr TITLE:
    @"$UV_PYTHON" -m tools.adr "$1"

# Resolve the locks again after a change of dependencies; `--upgrade` takes newer versions
[no-exit-message]
lock *ARGS:
    @"$UV_PYTHON" -m tools.locks write "$@"
    @"{{ just_executable() }}" sbom

# List what ships, with licences: docs/sbom (CycloneDX) and docs/licences.md; `./just lock` does it too
[no-exit-message]
sbom: _dev-env
    @"{{ dev_bin }}/python" -m tools.sbom

# Make or refresh .tools/demo
[no-exit-message]
_demo-env:
    @"$UV_PYTHON" -m tools.envs demo

# Make or refresh .tools/dev
[no-exit-message]
_dev-env:
    @"$UV_PYTHON" -m tools.envs dev

# Make or refresh .tools/agentdojo: AgentDojo's tasks and attacks, and nothing of ours
_agentdojo-env:
    @"$UV_PYTHON" -m tools.envs agentdojo

# Make or refresh .tools/infra: Pulumi, its packages for Oracle and Cloudflare, and what checks them
[no-exit-message]
_infra-env:
    @"$UV_PYTHON" -m tools.envs infra

# Have Pulumi with its language host for Python, or say which to install
[no-exit-message]
_pulumi:
    @infra/engine/installed >/dev/null

# What `./just test infra` runs
[no-exit-message]
_test-infra *ARGS: _infra-env
    @cd infra && exec ../.tools/infra/bin/python -m pytest "$@"

# Make or refresh .tools/stack: compose and Caddy for the stack tests
[no-exit-message]
_stack-env:
    @"$UV_PYTHON" -m tools.envs stack

# Have docker and debootstrap, or say how to get them; a stack test is never skipped for want of a program
[no-exit-message]
_stack-programs:
    @.ci/stack-programs

# Have QEMU and what makes its disk, or say how to get them
[no-exit-message]
_vm-programs:
    @.ci/vm-programs

# Have these, or say how to get them; a proof is never skipped for want of a program
[no-exit-message]
_prove-programs:
    @.ci/prove-programs

# Have the peers that are measured against, or say how to get them; no row is ever skipped
[no-exit-message]
_bench-programs:
    @.ci/bench-programs
