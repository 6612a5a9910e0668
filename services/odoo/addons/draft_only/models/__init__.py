from . import (
    account_move,
    account_move_line,
    account_payment,
    base,
    drafting,
    ir_actions_report,
    mail_thread,
    posting,
    res_partner,
)
