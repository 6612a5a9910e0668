"""Planted bugs of the policy, each with the kind of bad commit that gets through it and through nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.adversary import planted_commits as commits
from tests.adversary import planted_forms as forms
from tests.adversary import planted_rights as rights
from tests.adversary.planted_rights import Bug
from vault_protocol.task import Stage
from vault_protocol.zones import Rule


@dataclass(frozen=True)
class Mutant:
    """`lets_in` is the name of the kind that has to show it."""

    bug: Bug
    lets_in: str


ASKED, APPROVED, WAITS, ASIDE = Stage.PENDING_APPROVAL, Stage.APPROVED, Stage.NEEDS_ACTION, Stage.QUARANTINE
MUTANTS: dict[str, Mutant] = {
    "a hole in the table: cloud approves": Mutant(rights.hole(ASKED, APPROVED), "moves one that asks to Approved"),
    "a hole in the table: cloud takes back": Mutant(rights.hole(ASKED, WAITS), "moves one that asks to Needs_Action"),
    "a hole in the table: cloud submits again": Mutant(
        rights.hole(ASKED, ASKED), "swaps the draft of one that asks, next number"
    ),
    "a hole in the table: cloud sets aside": Mutant(rights.hole(ASKED, ASIDE), "moves one that asks to Quarantine"),
    "a hole in the table: cloud brings back": Mutant(rights.hole(ASIDE, WAITS), "moves one set aside to Needs_Action"),
    "whose task it is does not matter": Mutant(
        rights.whose_task_it_is_does_not_matter, "sets aside what another holds"
    ),
    "the table of moves is not looked at": Mutant(rights.the_table_of_moves_is_not_looked_at, "moves nothing to Done"),
    "everybody writes everything else": Mutant(rights.everybody_writes_everything_else, "writes Dashboard.md"),
    "everybody writes approvals": Mutant(rights.everybody_writes_approvals, "writes Approvals/2026/11/x.json"),
    "an own folder is one that begins so": Mutant(
        rights.an_own_folder_is_one_that_begins_so, "writes Updates/cloud-10/recent.md"
    ),
    "create only is ignored": Mutant(rights.rule_is(Rule.CREATE), "the owner replaces an approval"),
    "signals are anybody's": Mutant(rights.rule_is(Rule.SIGNAL), "takes away another's signal"),
    "append only is ignored": Mutant(rights.rule_is(Rule.APPEND), "rewrites its own log"),
    "a task in two places is none of our business": Mutant(
        rights.a_task_in_two_places_is_none_of_our_business, "has a task twice in one stage"
    ),
    "a task may vanish": Mutant(rights.a_task_may_vanish, "deletes one that waits"),
    "a task lies anywhere": Mutant(rights.a_task_lies_anywhere, f"a task at Plans/{'a' * 10}aaaaba.md"),
    "a note that does not parse is let be": Mutant(
        rights.a_note_that_does_not_parse_is_let_be, "a note of no known domain"
    ),
    "a note tells its own id": Mutant(rights.notes_tell_their_own_id, "a note that names another task"),
    "the attempt is not counted": Mutant(rights.fields_without("attempt"), "claims with the attempt up by 0"),
    "the attempt may fall": Mutant(rights.fields_without("attempt"), "claims with the attempt up by -1"),
    "the fence is not looked at": Mutant(rights.the_fence_is_not_looked_at, "submits its attempt 2 under attempt 1"),
    "the revision is not counted": Mutant(rights.fields_without("revision"), "submits with the revision up by 0"),
    "an approved text is not compared": Mutant(
        rights.fields_without("revision"), "the owner approves another text than was shown"
    ),
    "a reaper may rewrite": Mutant(rights.fields_without("reap"), "reaps and changes the text"),
    "cloud ends what was put up": Mutant(rights.fields_without("zone"), "closes a task that was put up once"),
    "the mode is ignored": Mutant(forms.the_mode_is_ignored, "an executable"),
    "names are not judged": Mutant(forms.names_are_not_judged, "a folder named '.git'"),
    "one more type syncs": Mutant(forms.one_more_type_syncs, "a file of the type of 'x.py'"),
    "git is spelt in small letters": Mutant(
        forms.git_is_spelt_in_small_letters, "the owner has a folder named 'GIT~1'"
    ),
    "short names are not thought of": Mutant(
        forms.short_names_are_not_thought_of, "the owner has a folder named 'git~1'"
    ),
    "devices of Windows are not thought of": Mutant(
        forms.devices_are_not_thought_of, "the owner has a folder named 'nul'"
    ),
    "hidden characters are not thought of": Mutant(
        forms.hidden_characters_are_not_thought_of, "the owner has a folder named '\\u200e.git'"
    ),
    "names may have twins": Mutant(forms.names_may_have_twins, "two notes at once that differ by case"),
    "case is looked at, accents are not": Mutant(
        forms.case_is_looked_at_accents_are_not, "the owner has a note twice, by how it is accented"
    ),
    "twins are looked for in the commit alone": Mutant(
        forms.twins_are_looked_for_in_the_commit_alone, "a note beside one that differs by case"
    ),
    "names may be hidden": Mutant(forms.names_may_be_hidden, "settings of a viewer below its own folder"),
    "trees out of order are read": Mutant(forms.trees_out_of_order_are_read, "names out of order"),
    "a name may stand there twice": Mutant(forms.a_name_may_stand_there_twice, "one name twice"),
    "what is left of a tree is ignored": Mutant(forms.what_is_left_of_a_tree_is_ignored, "a mode with a leading zero"),
    "trees may be any depth": Mutant(forms.trees_may_be_any_depth, "40 folders in one another"),
    "a file may be any size": Mutant(forms.a_file_may_be_any_size, "a file of over 16 MiB"),
    "only the ends are judged": Mutant(commits.only_the_ends_are_judged, "a clean head over the owner's handbook"),
    "uniqueness is judged at the ends": Mutant(commits.only_the_ends_are_judged, "a clean head over a deleted task"),
    "merges are followed": Mutant(commits.merges_are_followed, "a merge with the commit before"),
    "another line is followed": Mutant(commits.another_line_is_followed, "a second root"),
    "headers are not looked at": Mutant(commits.headers_are_not_looked_at, "a commit with a GPG signature"),
    "the committer is not looked at": Mutant(commits.the_committer_is_not_looked_at, "a committer of another's name"),
    "signatures are not verified": Mutant(commits.signatures_are_not_verified, "its own name with another key"),
    "the author is trusted instead of the key": Mutant(
        commits.the_author_is_trusted_instead_of_the_key, "an owner's change under the owner's name"
    ),
    "the author is not compared": Mutant(commits.the_author_is_not_compared, "the owner's name as author"),
    "a gap in the sequence is accepted": Mutant(
        commits.excused("sequence", lambda found, trail: found.previous == trail.last), "a sequence number left out"
    ),
    "the past is not compared": Mutant(
        commits.excused("sequence", lambda found, trail: found.sequence == trail.sequence + 1),
        "another past than it had",
    ),
    "a replay is accepted": Mutant(
        commits.excused("sequence", lambda found, trail: found.sequence <= trail.sequence),
        "the owner's commit a second time",
    ),
    "the vault is not signed": Mutant(commits.payload(lambda c: replace(c, vault="")), "a changeset for another vault"),
    "the verb is not signed": Mutant(commits.payload(lambda c: replace(c, verb="")), "another verb than was signed"),
    "the attempt is not signed": Mutant(
        commits.payload(lambda c: replace(c, attempt=0)), "another attempt than was signed"
    ),
    "the changes are not signed": Mutant(
        commits.payload(lambda c: replace(c, changes=())), "one more note than was signed"
    ),
    "the old bytes are not signed": Mutant(
        commits.payload(lambda c: replace(c, changes=tuple((path, "", new) for path, _, new in c.changes))),
        "signed over another past of the note",
    ),
    "any policy is followed": Mutant(commits.any_policy_is_followed, "policy version 999"),
    "text after the trailers is ignored": Mutant(commits.text_after_the_trailers_is_ignored, "text after the trailers"),
    "a trailer may stand there twice": Mutant(commits.the_last_of_two_trailers_counts, "the trailer Agent twice"),
    "active content passes": Mutant(forms.active_content_passes, "a plan with a script"),
    "fences are read in one way": Mutant(forms.fences_are_read_in_one_way, "HTML after a fence that a list ends"),
    "a query is only a fence": Mutant(forms.a_query_is_only_a_fence, "a plan with a query"),
    "secrets are not looked for": Mutant(forms.secrets_are_not_looked_for, "a plan with a GitHub token"),
    "secrets are looked for in notes only": Mutant(forms.secrets_are_looked_for_in_notes_only, "a log with a token"),
    "a form of secret is missing": Mutant(forms.a_form_of_secret_is_missing, "a plan with a Stripe key"),
    "messages are not scanned": Mutant(forms.messages_are_not_scanned, "a secret in the subject"),
}
