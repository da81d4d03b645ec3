"""Escalations on both databases: who is told when, what stops it, what the timeline says."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from incidents.errors import InvalidInputError
from incidents.lifecycle import AlreadyResolved, Severity
from incidents.notices.maintenance import Effect, Scope
from monitor.storage.idempotency import AlreadyDone, Once
from monitor.storage.store import Store
from monitor.use_cases.escalating import NoPolicy
from monitor.use_cases.maintenance import Plan, plan_maintenance
from monitor.use_cases.regrouping import RegroupingDesk
from tests.monitor.use_cases.desk import Desk
from tests.monitor.use_cases.duty import STEPS, Duty, staffed

FIRST = [("opened", "chat"), ("paged", "ann-phone")]
RECALLED = {"ann-phone": "sent", "ben-phone": "dropped", "cleo@shop.test": "dropped"}


@pytest.fixture
def duty(sqlite_store: Store) -> Duty:
    """A desk with Ann on call."""
    return Duty(sqlite_store)


@pytest.fixture
def anywhere(store: Store) -> Duty:
    """The same on each database in turn."""
    return Duty(store)


def test_an_incident_calls_the_person_on_call_with_its_opening(duty: Duty) -> None:
    """In the same transaction as the opening: nothing is waited for."""
    duty.fire()
    assert duty.sent() == FIRST
    assert duty.says("step 1 of 2: telling ann (schedule shop, ann-phone)")
    assert duty.says("Next in 5 min: step 2 of 2.")


def test_until_somebody_acknowledges_steps_and_the_last_resort_follow(anywhere: Duty) -> None:
    """Each once, after its wait."""
    anywhere.fire()
    anywhere.wait(60)
    assert anywhere.sent() == [
        *FIRST,
        ("paged", "ben-phone"),
        ("paged", "cleo@shop.test"),
        ("paged", "everybody"),
    ]
    assert [step.at - anywhere.steps()[0].at for step in anywhere.steps()] == [
        timedelta(minutes=minutes) for minutes in (0, 5, 15)
    ]
    assert anywhere.state() == "exhausted"
    assert anywhere.says("nobody has acknowledged")


def test_acknowledging_stops_it_and_tells_the_others_who_were_called(anywhere: Duty) -> None:
    """Ann was called too: she may sleep on. The channel that only listens hears nothing more."""
    anywhere.fire()
    anywhere.wait(6)
    anywhere.people.acknowledge(1, by="ben", now=anywhere.now)
    assert anywhere.sent()[4:] == [
        ("acknowledged", "ann-phone"),
        ("acknowledged", "cleo@shop.test"),
    ]
    anywhere.wait(20)
    assert (len(anywhere.steps()), anywhere.state()) == (2, "acknowledged")


def test_acknowledging_recalls_the_pages_that_still_wait(anywhere: Duty) -> None:
    """Ben's page still waits when Ann takes it: he is not called, and the line says so."""
    anywhere.fire()
    anywhere.take("ann-phone", "chat")
    anywhere.wait(6)
    anywhere.people.acknowledge(1, by="ann", now=anywhere.now)
    assert anywhere.states("paged") == RECALLED
    assert anywhere.says("Not sent to ben-phone: INC-1 paged [critical]: ")
    assert anywhere.says("; ann had taken the incident before it could go out.")


def test_the_end_recalls_the_pages_that_still_wait(anywhere: Duty) -> None:
    """Nobody is called to what is over; a page that was sent stays sent."""
    anywhere.fire()
    anywhere.take("ann-phone")
    anywhere.wait(6)
    anywhere.resolve()
    assert anywhere.states("paged") == RECALLED
    assert anywhere.states("opened") == {"chat": "queued"}
    assert anywhere.says("the incident was over before it could go out.")


def test_who_is_called_again_after_a_recall_gets_the_new_page(duty: Duty) -> None:
    """What was recalled stands in nobody's way."""
    duty.fire()
    duty.people.acknowledge(1, by="ben", now=duty.now)
    duty.wait(30)
    assert duty.sent()[-2:] == [("paged", "ann-phone"), ("paged", "ben-phone")]
    assert duty.states("paged") == {"ann-phone": "queued", "ben-phone": "queued"}


def test_an_acknowledgement_runs_out_and_its_owner_is_called_again(anywhere: Duty) -> None:
    """The incident is nobody's again, the level reached is told again, and it goes on."""
    anywhere.fire()
    anywhere.people.acknowledge(1, by="ben", now=anywhere.now)
    anywhere.wait(29.5)
    assert anywhere.incident().acknowledged_by == "ben"
    anywhere.wait(0.5)
    assert anywhere.incident().acknowledged_by is None
    assert anywhere.says("by ben no longer holds: nothing has happened for 30 min.")
    assert anywhere.sent()[-2:] == [("paged", "ann-phone"), ("paged", "ben-phone")]
    anywhere.wait(5)
    assert anywhere.steps()[-1].words == "step 2 of 2"


def test_a_note_of_the_owner_keeps_the_acknowledgement_another_persons_does_not(
    duty: Duty,
) -> None:
    """Work is a sign of life of whoever does it."""
    duty.fire()
    duty.people.acknowledge(1, by="ben", now=duty.now)
    duty.wait(20)
    duty.people.add_note(1, "Rolling back.", by="ben", now=duty.now)
    duty.wait(20)
    duty.people.add_note(1, "And?", by="ann", now=duty.now)
    assert duty.incident().acknowledged_by == "ben"
    duty.wait(11)
    assert duty.incident().acknowledged_by is None


def test_acknowledging_again_renews(duty: Duty) -> None:
    """One's word holds from then on."""
    duty.fire()
    duty.people.acknowledge(1, by="ben", now=duty.now)
    duty.wait(20)
    duty.people.acknowledge(1, by="ben", now=duty.now)
    assert duty.says("ben is still on it")
    duty.wait(25)
    assert duty.incident().acknowledged_by == "ben"


def test_everybody_who_was_told_hears_of_the_end_and_it_is_over(duty: Duty) -> None:
    """People and channels alike."""
    duty.fire()
    duty.wait(6)
    duty.resolve()
    ends = [to for event, to in duty.sent() if event == "resolved"]
    assert ends == ["chat", "ann-phone", "ben-phone", "cleo@shop.test"]
    duty.wait(60)
    assert (len(duty.steps()), duty.state()) == (2, "ended")


def test_a_policy_edited_meanwhile_does_not_change_an_escalation_under_way(duty: Duty) -> None:
    """The incident keeps the copy it opened with."""
    duty.fire()
    duty.reconfigure(
        escalation=[
            {
                "name": "shop",
                "steps": [{"tell": [{"person": "cleo"}], "wait": "1m"}],
                "last_resort": [{"channel": "everybody"}],
            }
        ]
    )
    duty.wait(5)
    assert duty.steps()[-1].words == "step 2 of 2"


def test_who_is_on_call_is_looked_up_when_the_step_is_taken(duty: Duty) -> None:
    """Not when the incident opened: shifts change meanwhile."""
    policy = {
        "name": "shop",
        "steps": [{"tell": [{"schedule": "shop"}], "wait": "5m"}],
        "repeat": 1,
        "last_resort": [{"channel": "everybody"}],
    }
    duty.reconfigure(escalation=[policy])
    duty.fire()
    turn = {"name": "shop", "team": "engineers", "layers": [{"people": ["ben"]}]}
    duty.reconfigure(escalation=[policy], schedules=[turn])
    duty.wait(5)
    assert duty.sent()[-1] == ("paged", "ben-phone")


def test_a_gap_shouts_and_tells_the_last_resort_in_its_place(duty: Duty) -> None:
    """Somebody is always named."""
    ended = {"people": ["ann"], "from": "2026-01-05", "until": "2026-02-02"}
    gap = [{"name": "shop", "team": "engineers", "layers": [ended]}]
    duty.reconfigure(schedules=gap)
    duty.fire()
    assert duty.sent() == [("opened", "chat"), ("paged", "everybody")]
    reasons = [row["data"]["reason"] for row in duty.lines() if row["kind"].endswith("not_sent")]
    assert "nobody_on_call" in reasons
    assert duty.says("Not sent to schedule shop: nobody is on call there now.")


def test_when_even_the_last_resort_is_gone_whoever_listens_is_told(duty: Duty) -> None:
    """And where nobody does, the timeline says so in capitals."""
    duty.fire()
    duty.configuration = staffed(people=[], teams=[], schedules=[], channels=())
    duty.wait(5)
    assert duty.says("NOBODY WAS TOLD")
    duty.configuration = staffed(channels=(duty.configuration.channels or staffed().channels)[:1])
    duty.wait(10)
    assert duty.sent()[-1] == ("paged", "chat")


def test_a_person_whom_nothing_reaches_is_named(duty: Duty) -> None:
    """Without mail server Cleo has no way to be told; Ben has."""
    duty.policy = type(duty.policy)(mails=False)
    duty.fire()
    duty.wait(5)
    assert duty.sent()[2:] == [("paged", "ben-phone")]
    assert duty.says("Not sent to cleo: cleo has no channel and no e-mail address that works here.")


def test_when_every_message_of_a_step_failed_the_next_is_taken_at_once(duty: Duty) -> None:
    """A dead phone does not cost five minutes."""
    duty.fire()
    duty.fail_everything()
    duty.wait(0.5)
    assert [step.why for step in duty.steps()] == ["opened", "unreachable"]


def test_nothing_is_taken_twice_and_nothing_written_while_nothing_is_due(duty: Duty) -> None:
    """A look is free until a wait is over."""
    duty.fire()
    assert [duty.look(), duty.look()] == [0, 0]
    duty.now += timedelta(minutes=5)
    assert [duty.look(), duty.look()] == [1, 0]


def test_two_processes_that_look_at_once_take_each_step_once(anywhere: Duty) -> None:
    """The step is claimed with its row."""
    opened = 3
    for number in range(opened):
        anywhere.people.open(
            title=f"Trouble {number}",
            severity=Severity.CRITICAL,
            component="search",
            by="sam",
            now=anywhere.now,
        )
    anywhere.now += timedelta(minutes=5)
    meeting, moved = threading.Barrier(4), []

    def look() -> None:
        meeting.wait()
        moved.append(anywhere.look())

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moved) == opened
    assert all(len(anywhere.steps(n + 1)) == 2 for n in range(opened))


def test_a_service_that_was_away_takes_one_step_and_then_waits_in_full(duty: Duty) -> None:
    """People get the time they were promised."""
    duty.fire()
    duty.later(hours=3)
    duty.wait(9.5)
    assert [step.words for step in duty.steps()] == ["step 1 of 2", "step 2 of 2"]


def test_maintenance_that_mutes_every_alert_holds_the_next_step(duty: Duty) -> None:
    """Muting the first message only would let the rest through; its end lets them go on."""
    duty.fire()
    window = Plan(
        title="Upgrade",
        starts_at=duty.now,
        ends_at=duty.now + timedelta(minutes=20),
        scope=(Scope("checkout", Effect.EXPECTED_DOWN),),
    )
    plan_maintenance(duty.store, duty.configuration, window, by="ann", now=duty.now)
    duty.wait(15)
    assert len(duty.steps()) == 1
    assert duty.says("The escalation waits: MNT-1")
    duty.wait(10)
    assert len(duty.steps()) == 2
    assert duty.says("The escalation goes on")


def test_an_incident_that_becomes_worse_voids_its_acknowledgement(duty: Duty) -> None:
    """What was taken was a warning; this is not."""
    duty.fire(severity="warning")
    duty.people.acknowledge(1, by="ben", now=duty.now)
    duty.fire(severity="critical", step="pay")
    assert duty.incident().severity is Severity.CRITICAL
    assert duty.incident().acknowledged_by is None
    assert duty.state() == "running"
    assert duty.says("no longer holds: it has become worse")


def test_whoever_was_called_hears_that_it_became_worse(duty: Duty) -> None:
    """The escalation itself goes on as it was."""
    duty.fire(severity="warning")
    duty.fire(severity="critical", step="pay")
    assert [to for event, to in duty.sent() if event == "escalated"] == ["chat", "ann-phone"]
    assert len(duty.steps()) == 1


def test_a_reopened_incident_begins_its_policy_anew(duty: Duty) -> None:
    """Under its number, with steps that go on counting."""
    duty.fire()
    duty.resolve()
    duty.later(minutes=2).fire()
    assert [(step.sequence, step.why) for step in duty.steps()] == [(1, "opened"), (2, "reopened")]
    assert duty.state() == "running"


def test_merging_ends_the_escalation_of_what_is_gone_with_a_line(duty: Duty) -> None:
    """At once, not when its next step falls due; people are called to the survivor."""
    duty.fire()
    duty.fire("search")
    desk = RegroupingDesk(duty.store, duty.configuration, duty.policy)
    desk.merge(2, into=1, why="one database", by="ann", now=duty.now)
    assert (duty.state(1), duty.state(2)) == ("running", "ended")
    assert duty.says("The escalation ends here: INC-1 is what people are called to now.", 2)


def test_a_policy_covers_only_its_components_and_severities(duty: Duty) -> None:
    """Everything else goes to channels by severity, as without people."""
    only = {"components": ["login"], "severities": ["critical"]}
    base = {"name": "shop", "steps": STEPS, "last_resort": [{"channel": "everybody"}]}
    duty.reconfigure(escalation=[{**base, **only}])
    duty.fire("checkout")
    assert (duty.state(), duty.sent()) == ("none", [("opened", "chat")])


def test_without_people_channels_by_severity_are_all_there_is(sqlite_store: Store) -> None:
    """An installation that configures nobody notices nothing of escalations."""
    desk = Desk(sqlite_store)
    desk.fire()
    assert desk.notified() == [("incident_opened", "terminal"), ("incident_opened", "pager")]
    assert desk.timeline() == ["opened", "published", "update_published"]


# --- by hand ------------------------------------------------------------------------------------


def test_escalating_by_hand_takes_the_next_step_and_the_incident_is_nobodys(duty: Duty) -> None:
    """Whoever cannot do it alone says so with one button."""
    duty.fire()
    duty.people.acknowledge(1, by="ann", now=duty.now)
    duty.people.escalate_now(1, by="ann", now=duty.now)
    assert duty.sent()[2:] == [("paged", "ben-phone"), ("paged", "cleo@shop.test")]
    assert duty.incident().acknowledged_by is None
    assert duty.says("because ann asked for it")


def test_reassigning_calls_one_person_and_the_policy_goes_on(duty: Duty) -> None:
    """If that person does not answer, the next step follows."""
    duty.fire()
    duty.people.acknowledge(1, by="ann", now=duty.now)
    duty.people.reassign(1, "cleo", by="ann", now=duty.now)
    assert duty.sent()[2:] == [("paged", "cleo@shop.test")]
    assert duty.steps()[-1].words == "beside the policy"
    duty.wait(5)
    assert duty.steps()[-1].words == "step 2 of 2"


def test_a_request_that_is_repeated_is_carried_out_once(duty: Duty) -> None:
    """By its key."""
    duty.fire()
    once = Once.of("key", "escalate")
    duty.people.escalate_now(1, by="ann", now=duty.now, once=once)
    with pytest.raises(AlreadyDone):
        duty.people.escalate_now(1, by="ann", now=duty.now, once=once)
    assert len(duty.steps()) == 2


def test_refusals_say_what_to_do(duty: Duty) -> None:
    """No policy, nobody of that name, nothing open."""
    duty.fire()
    with pytest.raises(InvalidInputError, match="no 'zoe' under people: \\(ann, ben, cleo\\)"):
        duty.people.reassign(1, "zoe", by="ann", now=duty.now)
    duty.resolve()
    with pytest.raises(AlreadyResolved):
        duty.people.escalate_now(1, by="ann", now=duty.now)
    plain = Desk(duty.store)
    plain.fire("login")
    duty.configuration = plain.configuration
    with pytest.raises(NoPolicy, match="no escalation policy covers"):
        duty.people.escalate_now(2, by="ann", now=duty.now)


def test_an_incident_opened_by_hand_calls_people_too(duty: Duty) -> None:
    """Its opener may be in support: somebody still has to come."""
    duty.people.open(
        title="Payments look odd",
        severity=Severity.CRITICAL,
        component="checkout",
        by="sam",
        now=duty.now,
    )
    assert duty.sent() == FIRST
