"""What no stack may contain, whoever wrote it: a Pulumi policy pack over pure rules. `infra/policy` starts it."""
