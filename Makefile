# Each target installs what it needs beside Rust, and says what.

.PHONY: book browser concurrency deb deb-test demo firmware test test-members fuzz fuzz-core mutants conformance bench bench-sync model model-full lint soak-replay faults random-objects turnover

# Three SoftHSM members, signing through libeverslot.so while they are killed, frozen and taken away. ARGS="--kill-all" for more.
demo:
	@tests/prerequisites demo
	cargo build --release --locked --package everslot
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/everslot" demo $(ARGS)

# The gateway of firmware-example/ on a Cortex-M3 in QEMU, over three real tokens behind `everslot member-host --serial`: members are killed,
# frozen, unplugged and garbled, and all lost at once; and the gateway in C. Shows each log as it comes, and compares it with the one that is kept.
firmware:
	@tests/prerequisites firmware
	firmware-example/build
	cargo build $(BUT_THE_MODEL)
	cargo nextest run --package everslot-tests --test firmware --test firmware_c --locked --config-file tests/nextest.toml --no-capture

# Every test: the crates' own, and those with real tokens, clients and faults. The model's search states by the million, so it is built
# for speed; all else has its assertions on. One choice of packages throughout: another one would build their dependencies again.
BUT_THE_MODEL = --workspace --exclude everslot-model --locked
test:
	@tests/prerequisites test
	firmware-example/build
	cargo build $(BUT_THE_MODEL)
	cargo nextest run $(BUT_THE_MODEL) --config-file tests/nextest.toml
	cargo nextest run --release --package everslot-model --locked --config-file tests/nextest.toml
	cargo test $(BUT_THE_MODEL) --doc --quiet
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/debug/fuzz" --seconds 60

# Members of other makes for the tests, which skip those that are not here: kryoptic, built from crates.io (minutes), NSS, and a PostgreSQL.
test-members:
	@tests/prerequisites members
	@target=$${CARGO_TARGET_DIR:-$(CURDIR)/target}; cargo build --locked --manifest-path tests/kryoptic/Cargo.toml --target-dir "$$target/kryoptic"

# Arbitrary sequences of calls of the C functions, for ten minutes, under AddressSanitizer where there is a nightly toolchain.
# ARGS="--seconds 60 --seed 1000" for less and for others. Leaks are not looked for: modules leave memory behind when they end. The test
# module is built as ever: a shared object does not find the sanitizer of the program that loads it.
NIGHTLY = $(shell rustup toolchain list 2>/dev/null | grep --only-matching --max-count=1 '^nightly[^ ]*')
SANITIZED = x86_64-unknown-linux-gnu
fuzz:
	@tests/prerequisites bench
ifneq ($(NIGHTLY),)
	cargo build --package everslot-test-module --locked
	RUSTFLAGS="-Zsanitizer=address" cargo +$(NIGHTLY) build --package everslot --package everslot-fuzz --locked --target $(SANITIZED)
	@target=$${CARGO_TARGET_DIR:-target}; cp "$$target/debug/libeverslot_test_module.so" "$$target/$(SANITIZED)/debug/"; \
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 "$$target/$(SANITIZED)/debug/fuzz" --seconds 600 $(ARGS)
else
	cargo build $(BUT_THE_MODEL)
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/debug/fuzz" --seconds 600 $(ARGS)
endif

# Arbitrary sequences of inputs for the core's machines, chosen by libFuzzer for what they lead to: a minute for each machine, from the corpus on.
# ARGS="600 group work" for ten minutes each of some. What is new and worth keeping is added to the corpus, which a test goes through.
fuzz-core:
	@tests/prerequisites fuzz
	core/fuzz/guide $(ARGS)

# Other people's test suites, against the bare member and against groups of one and three, some of them dying: everslot may fail no case that the
# bare member passes. ARGS="--suite cryptoki --situation three" for less, ARGS="--module FILE" for a module from elsewhere.
conformance:
	@tests/prerequisites conformance
	cargo build --release --workspace --locked
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/conformance" $(ARGS)

# What everslot costs over the bare token. ARGS="--check" to fail when a floor is missed, ARGS="--instructions" for the count that no other
# work on the machine disturbs alone.
bench:
	@tests/prerequisites bench
	cargo build --release --workspace --locked
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/bench" $(ARGS)

# How fast an empty member gets a group's objects, beside its own bare wrapping and unwrapping, and in how much memory. ARGS="500 2000" for other numbers of
# objects than 1000 and 10000.
bench-sync:
	@tests/prerequisites bench
	cargo build --release --workspace --locked
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/bench-sync" $(ARGS)

# Operations of 100 MiB in parts of 4 KiB with a member killed at a random part of each, 200 of each kind: past the transcript's usual
# bound, where each must be refused cleanly or be right, and within a bound that holds all of it, where each must be right. Hours.
soak-replay:
	@tests/prerequisites test
	cargo build --release --workspace --locked
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/soak-replay" $(ARGS)
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/soak-replay" --transcript 128MiB $(ARGS)

# A loss at every single request of a creation, an update, a destruction and a reconcile of a group's objects: of the member, of the application, of
# both. ARGS="--scenario pair --every 7" for less; a number that shares no factor with 6 meets every kind of loss.
faults:
	@tests/prerequisites test
	cargo build --release $(BUT_THE_MODEL)
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/faults" $(ARGS)

# Members added, removed, parked and given other roles 200 times while two applications use them: no call may fail. ARGS="--changes 20" for less.
turnover:
	@tests/prerequisites test
	cargo build --release $(BUT_THE_MODEL)
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/turnover" $(ARGS)

# 1,000 random steps for each of 10 seeds: objects made, changed and destroyed on three members while these are killed, taken away and brought
# back. ARGS="--seed 3 --steps 200" for less and for another one.
random-objects:
	@tests/prerequisites test
	cargo build --release $(BUT_THE_MODEL)
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/random-objects" $(ARGS)

# Every reachable state of the core that ships, and what is wrong with the pseudo-code it grew from.
model:
	cargo run --release --locked --package everslot-model -- check
	cargo run --release --locked --package everslot-model -- exhibit

# What threads share in the adapter, in every interleaving: the view, the pool of sessions, handles, loads, the end, the channel to a host.
# A part of `make test`, here alone.
concurrency:
	cargo nextest run --package everslot --lib --locked --config-file tests/nextest.toml --status-level pass explored:: word::

# The same, and then the larger worlds: four members, three callers, two processes; 117 million states, 12 GB, a quarter of an hour. One after the
# other, since each search is held in memory.
model-full: model
	cargo run --release --locked --package everslot-model --features large -- check --threads 1

# Each decision of the core changed, one at a time, and who notices: its own tests, then the search of every state. More than an hour.
# ARGS="--file core/src/balance.rs" for less.
mutants:
	tests/mutants $(ARGS)

# The dashboard's page in a real browser; its pictures, in both themes and as on a phone, stay in target/screenshots.
browser:
	@tests/prerequisites browser
	cargo build $(BUT_THE_MODEL)
	cargo nextest run --package everslot-tests --test dashboard --locked --config-file tests/nextest.toml

# The book in docs/, as pages for a browser.
MDBOOK = 0.4.52
book:
	@command -v mdbook >/dev/null || { echo "Installing mdbook $(MDBOOK), to make the book with"; cargo install --locked --quiet mdbook@$(MDBOOK) --no-default-features; }
	mdbook build docs --dest-dir "$$(realpath -m "$${CARGO_TARGET_DIR:-target}")/book"

# A Debian package: the library where p11-kit finds it, the command, man pages, completions, header, examples. It is installed and used in a clean
# Debian by `make deb-test`, which makes one in a temporary directory.
deb:
	cargo build --release --locked --package everslot
	@packaging/deb/build "$${CARGO_TARGET_DIR:-target}" release

deb-test: deb
	@packaging/deb/test "$${CARGO_TARGET_DIR:-target}"/deb/everslot_*.deb

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --package everslot-model --features large --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked
