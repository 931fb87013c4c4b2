// A gateway in C: three members, the third a standby one, under everslot's core. One call a second; the first member is unplugged for ten
// seconds, and then the second one as well. Time is counted here, and the members are made up, so that the log is the same each time: a
// product has its timer, its lines, and a request in place of member_answers.

#include "board.h"
#include "everslot_core.h"

#define SECOND 1000
#define LAST_SECOND 30
#define CKR_OK 0
#define CKR_DEVICE_ERROR 0x30

static EverslotGroup group;
static uint64_t now;
static bool unplugged[EVERSLOT_MEMBERS];
static unsigned served[EVERSLOT_MEMBERS];
static unsigned failed;

// ---------------------------------------------------------------- the log

static void write_event(const EverslotEvent *event) {
  write_number("", now / SECOND, " s: ");
  write_bytes((const char *)event->words.text, event->words.length);
  switch (event->kind) {
  case EVERSLOT_EVENT_KIND_STANDBY_SERVING:
  case EVERSLOT_EVENT_KIND_ACTIVE_SERVING:
  case EVERSLOT_EVENT_KIND_GROUP_DOWN:
  case EVERSLOT_EVENT_KIND_GROUP_UP:
  case EVERSLOT_EVENT_KIND_LOGGED_IN:
  case EVERSLOT_EVENT_KIND_LOGGED_OUT:
  case EVERSLOT_EVENT_KIND_POLICY_CHANGED:
    break;
  default:
    write_number(": member ", event->member, "");
  }
  if (event->kind == EVERSLOT_EVENT_KIND_ATTEMPT_FAILED && event->has_next)
    write_number(", next at ", event->next / SECOND, " s");
  write_text("\n");
}

// ---------------------------------------------------------------- the members

// A request to a member, by whatever line it has: what it returned.
static uint64_t member_answers(uint8_t member) {
  return unplugged[member] ? CKR_DEVICE_ERROR : CKR_OK;
}

// ---------------------------------------------------------------- the group

// What an attempt or a change of the login asks of a member. Here each step is one request; what it is for is action->step.
static EverslotInput carry_out(const EverslotAction *action) {
  EverslotInput outcome = {
      .member = action->member,
      .serial = action->serial,
      .step = action->step,
      .incarnation = action->incarnation,
      .generation = action->generation,
      .outcome = EVERSLOT_OUTCOME_DONE,
  };
  outcome.kind = action->kind == EVERSLOT_ACTION_KIND_PERFORM
                     ? EVERSLOT_INPUT_KIND_STEP
                     : EVERSLOT_INPUT_KIND_LOGIN_CHANGED;
  uint64_t rv = member_answers(action->member);
  if (rv != CKR_OK) {
    outcome.outcome = EVERSLOT_OUTCOME_FAILED;
    outcome.evidence.kind = EVERSLOT_EVIDENCE_KIND_CODE;
    outcome.evidence.rv = rv;
  }
  return outcome;
}

// Feeds the group; logs what happened, does what is to be done, and feeds what came of it, until there is nothing left to do. A gateway
// whose steps take time begins them here and feeds each outcome when it has it.
static void feed(EverslotInput input) {
  EverslotInput waiting[EVERSLOT_MEMBERS + 1] = {input};
  unsigned length = 1;
  while (length > 0) {
    EverslotOutput output;
    length--;
    if (!everslot_group_handle(&group, &waiting[length], now, &output))
      board_exit("an input is none");
    for (unsigned i = 0; i < output.events_length; i++)
      write_event(&output.events[i]);
    for (unsigned i = 0; i < output.actions_length; i++)
      // Nothing is open at these members that would have to be closed.
      if (output.actions[i].kind != EVERSLOT_ACTION_KIND_CLOSE)
        waiting[length++] = carry_out(&output.actions[i]);
  }
}

static void feed_timer(void) {
  uint64_t at;
  uint8_t member;
  while (everslot_group_poll_timeout(&group, &at, &member) && at <= now)
    feed((EverslotInput){.kind = EVERSLOT_INPUT_KIND_TIMER});
}

// ---------------------------------------------------------------- a call

static EverslotCallInput choose(uint32_t tried, uint32_t cursor) {
  EverslotCallInput chosen = {.kind = EVERSLOT_CALL_INPUT_KIND_CHOSEN,
                              .member = EVERSLOT_NOBODY};
  EverslotServing serving;
  EverslotMemberStatus status;
  if (everslot_group_serving(&group, &serving))
    chosen.member = everslot_choose(&serving, UINT32_MAX, tried, NULL, cursor);
  if (everslot_group_member(&group, chosen.member, &status))
    chosen.incarnation = status.incarnation;
  return chosen;
}

static void report(const EverslotCallOutput *output, uint64_t rv) {
  if (output->lost != EVERSLOT_NOBODY)
    feed((EverslotInput){.kind = EVERSLOT_INPUT_KIND_LOST,
                         .member = output->lost,
                         .incarnation = output->found_incarnation,
                         .evidence = {.kind = EVERSLOT_EVIDENCE_KIND_CODE,
                                      .rv = rv}});
  if (output->set_aside != EVERSLOT_NOBODY)
    feed((EverslotInput){.kind = EVERSLOT_INPUT_KIND_QUARANTINE,
                         .member = output->set_aside,
                         .incarnation = output->found_incarnation,
                         .why = output->why,
                         .evidence = {.rv = output->rv}});
}

static void write_failover(uint8_t from, uint8_t to) {
  write_number("", now / SECOND, " s: a call fails over: ");
  write_number("from member ", from, "");
  write_number(" to member ", to, "\n");
}

// A request that computes, such as a signature: it may be sent again to another member.
static void make_call(uint32_t cursor) {
  EverslotCall call;
  EverslotCallOptions options = {.repeatable = true};
  EverslotCallInput input = {.kind = EVERSLOT_CALL_INPUT_KIND_START};
  EverslotCallOutput output;
  uint8_t sent_to = EVERSLOT_NOBODY;
  uint64_t rv = CKR_OK;
  if (!everslot_call_new(&call, &options))
    board_exit("a call is none");
  for (;;) {
    if (!everslot_call_handle(&call, &input, &output))
      board_exit("an input of a call is none");
    report(&output, rv);
    switch (output.next) {
    case EVERSLOT_NEXT_KIND_CHOOSE:
      input = choose(output.tried, cursor);
      break;
    case EVERSLOT_NEXT_KIND_SEND:
      if (sent_to != EVERSLOT_NOBODY && sent_to != output.member)
        write_failover(sent_to, output.member);
      sent_to = output.member;
      rv = member_answers(output.member);
      input = (EverslotCallInput){.kind = EVERSLOT_CALL_INPUT_KIND_REPLIED,
                                  .rv = rv};
      break;
    case EVERSLOT_NEXT_KIND_REOPEN:
      input = (EverslotCallInput){.kind = EVERSLOT_CALL_INPUT_KIND_REOPENED,
                                  .yes = !unplugged[output.member]};
      break;
    case EVERSLOT_NEXT_KIND_PROBE:
      input = (EverslotCallInput){.kind = EVERSLOT_CALL_INPUT_KIND_PROBED,
                                  .yes = !unplugged[output.member]};
      break;
    default:
      if (output.answer == EVERSLOT_ANSWER_REPLY)
        served[sent_to]++;
      else
        failed++;
      return;
    }
  }
}

// ---------------------------------------------------------------- the status

// Shows the code of each member, and tells the group that it was shown.
static void show_status(void) {
  EverslotMemberStatus status;
  write_number("", now / SECOND, " s: status:");
  for (uint8_t member = 0; everslot_group_member(&group, member, &status);
       member++)
    write_number(" ", status.code, "");
  write_text("\n");
  feed((EverslotInput){.kind = EVERSLOT_INPUT_KIND_STATUS_READ});
}

int main(void) {
  EverslotPolicy policy = {.interval = 5 * SECOND,
                           .attempts = EVERSLOT_UNLIMITED};
  if (!everslot_group_new(&group, &policy))
    board_exit("no group");
  for (uint8_t member = 0; member < 3; member++)
    feed((EverslotInput){.kind = EVERSLOT_INPUT_KIND_ADD,
                         .member = member,
                         .role = member == 2 ? EVERSLOT_ROLE_STANDBY
                                             : EVERSLOT_ROLE_ACTIVE});
  for (uint32_t second = 0; second <= LAST_SECOND; second++) {
    now = second * SECOND;
    unplugged[0] = second >= 10 && second < 20;
    unplugged[1] = second >= 14 && second < 24;
    feed_timer();
    make_call(second);
    if (second == 12 || second == 13 || second == LAST_SECOND)
      show_status();
  }
  for (uint8_t member = 0; member < 3; member++) {
    write_number("member ", member, " has served ");
    write_number("", served[member], " calls\n");
  }
  write_number("calls that failed: ", failed, "\n");
  board_exit(failed == 0 ? NULL : "calls failed");
}
