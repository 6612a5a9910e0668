{
    "name": "Countersign: draft only",
    "summary": "A user who can draft and nothing more, and posting that checks what was approved",
    "version": "1.0",
    "category": "Accounting",
    "license": "Other OSI approved licence",
    "author": "Countersign",
    "depends": ["account"],
    "data": ["security/groups.xml", "security/ir.model.access.csv"],
    "installable": True,
}
