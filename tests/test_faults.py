"""The fault catalogue: every mark names a case, and no case is both covered and put off."""

from scripts.fault_table import PAGE, catalogue, covering, page


def test_every_fault_mark_names_a_case_of_the_catalogue():
    assert set(covering()) <= set(catalogue())


def test_a_covered_case_is_not_said_to_come_later():
    covered = set(covering())
    put_off = {one for one, case in catalogue().items() if "later" in case or "reason" in case}
    assert not covered & put_off


def test_the_page_of_faults_is_current():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_case_has_a_test_or_a_reason_or_the_part_that_will_own_it():
    told = {one for one, case in catalogue().items() if "later" in case or "reason" in case}
    assert not set(catalogue()) - set(covering()) - told
