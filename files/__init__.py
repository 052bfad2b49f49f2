"""Everything that is done with a file of records, without Django.

    original ─reading▶ as read ─mending▶ as sent ─checking▶ findings ─splitting▶ parts
    as sent + what was told of it ─rows▶ how each row fared

`fields` says what columns may hold, `values` what is wrong with a cell, `remote` looks
at files elsewhere.
"""
