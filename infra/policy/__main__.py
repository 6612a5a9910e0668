"""`pulumi preview --policy-pack infra/policy` starts this."""

from infra.policy.pack import pack

if __name__ == "__main__":
    pack()
