{
    "name": "Countersign: draft only, quotations",
    "summary": "Quotations for the user who can draft and nothing more",
    "version": "1.0",
    "category": "Accounting",
    "license": "Other OSI approved licence",
    "author": "Countersign",
    "depends": ["draft_only", "sale"],
    "data": ["security/ir.model.access.csv"],
    "installable": True,
    "auto_install": True,
}
