# Each target installs what it needs beside Rust, and says what.

.PHONY: demo test bench model lint

# Three SoftHSM members, signing through libeverslot.so while they are killed, frozen and taken away. ARGS="--kill-all" for more.
demo:
	@tests/prerequisites demo
	cargo build --release --locked --package everslot
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/everslot" demo $(ARGS)

# Every test: the crates' own, and those with real tokens, clients and faults.
test:
	@tests/prerequisites test
	cargo build --workspace --locked
	cargo nextest run --workspace --exclude everslot-model --locked --config-file tests/nextest.toml
	cargo nextest run --release --package everslot-model --locked --config-file tests/nextest.toml
	cargo test --workspace --doc --locked --quiet

# What everslot costs over the bare token. ARGS="--check" to fail when a floor is missed.
bench:
	@tests/prerequisites bench
	cargo build --release --workspace --locked
	@target=$${CARGO_TARGET_DIR:-target}; "$$target/release/bench" $(ARGS)

# Every reachable state of the core that ships, and what is wrong with the pseudo-code it grew from.
model:
	cargo run --release --locked --package everslot-model -- check
	cargo run --release --locked --package everslot-model -- exhibit

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked
