// everslot's core for firmware in C: which member serves, when a lost one is tried again, and how a call ends.
//
// All memory is the caller's. Nothing waits, allocates or calls back. The functions answer `false`, and change nothing, where a pointer is null
// or misaligned, a number is none of its enumeration, or a group or call was not made. Any other pointer must be valid for its
// structure, and no two arguments may overlap. What goes in and comes out, and in which order, is in firmware-example/README.md.
//
// Generated from firmware-example/c/src by cbindgen; `UPDATE_HEADER=1 cargo test -p everslot-c` does it again.

#ifndef EVERSLOT_CORE_H
#define EVERSLOT_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


// The most members that a group can have. Another number goes into `src/lib.rs`, with the words of a group after it.
#define EVERSLOT_MEMBERS 4

// The most events of one input.
#define EVERSLOT_EVENTS 3

// The size of a group's state, in words of 64 bits.
#define EVERSLOT_GROUP_WORDS 36

// The size of a call's state, in words of 32 bits.
#define EVERSLOT_CALL_WORDS 7

// No member: what `everslot_choose` answers if there is none.
#define EVERSLOT_NOBODY 255

// As the attempts of a policy: without end.
#define EVERSLOT_UNLIMITED 65535

// What a member is there for.
enum EverslotRole
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Takes its share of the calls.
  EVERSLOT_ROLE_ACTIVE,
  // Takes calls only when no active member is left.
  EVERSLOT_ROLE_STANDBY,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotRole EverslotRole;
#else
typedef uint8_t EverslotRole;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A step of an attempt to bring a member back, in this order.
enum EverslotStep
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Reach it.
  EVERSLOT_STEP_CONNECT,
  // Find the token and open a session.
  EVERSLOT_STEP_OPEN,
  // Bring its login to the group's, which may be none.
  EVERSLOT_STEP_LOG_IN,
  // Make its objects equal to the group's; where the keys are on every member, there is nothing to do.
  EVERSLOT_STEP_SYNCHRONISE,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotStep EverslotStep;
#else
typedef uint8_t EverslotStep;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Who can log in.
enum EverslotUser
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // `CKU_SO`.
  EVERSLOT_USER_SECURITY_OFFICER,
  // `CKU_USER`.
  EVERSLOT_USER_USER,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotUser EverslotUser;
#else
typedef uint8_t EverslotUser;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The group's login.
enum EverslotLogin
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Nobody is logged in.
  EVERSLOT_LOGIN_OUT,
  // The security officer is.
  EVERSLOT_LOGIN_SECURITY_OFFICER,
  // The user is.
  EVERSLOT_LOGIN_USER,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotLogin EverslotLogin;
#else
typedef uint8_t EverslotLogin;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Why a member is set aside.
enum EverslotSetAsideReason
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It refuses a PIN that another member has accepted.
  EVERSLOT_SET_ASIDE_REASON_PIN_REFUSED,
  // A PIN was changed on the others while it was away.
  EVERSLOT_SET_ASIDE_REASON_PIN_CHANGED,
  // The token in its slot is another one.
  EVERSLOT_SET_ASIDE_REASON_TOKEN_CHANGED,
  // It has another domain key than the others.
  EVERSLOT_SET_ASIDE_REASON_DOMAIN_KEY_DIFFERS,
  // It keeps an object that was destroyed while it was away.
  EVERSLOT_SET_ASIDE_REASON_KEEPS_DESTROYED,
  // It failed its self-test.
  EVERSLOT_SET_ASIDE_REASON_SELF_TEST_FAILED,
  // It returned the code that is beside this.
  EVERSLOT_SET_ASIDE_REASON_OTHER,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotSetAsideReason EverslotSetAsideReason;
#else
typedef uint8_t EverslotSetAsideReason;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What was seen of a member that is not well.
enum EverslotEvidenceKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It returned a code.
  EVERSLOT_EVIDENCE_KIND_CODE,
  // It did not answer in time.
  EVERSLOT_EVIDENCE_KIND_DEADLINE_PASSED,
  // The process in which its module runs has ended.
  EVERSLOT_EVIDENCE_KIND_HOST_ENDED,
  // It could not be reached, and no code says why.
  EVERSLOT_EVIDENCE_KIND_NOT_REACHED,
  // The token is not in any slot.
  EVERSLOT_EVIDENCE_KIND_TOKEN_ABSENT,
  // It was set aside.
  EVERSLOT_EVIDENCE_KIND_SET_ASIDE,
  // It was added or unparked, and has not been tried yet.
  EVERSLOT_EVIDENCE_KIND_JOINING,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotEvidenceKind EverslotEvidenceKind;
#else
typedef uint8_t EverslotEvidenceKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a group is told. What each kind reads of an `EverslotInput` is in brackets.
enum EverslotInputKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Time has passed: wanted when `everslot_group_poll_timeout` says so, harmless early and often.
  EVERSLOT_INPUT_KIND_TIMER,
  // There is a further member (member, role).
  EVERSLOT_INPUT_KIND_ADD,
  // It is no member any more (member).
  EVERSLOT_INPUT_KIND_REMOVE,
  // Take it out of service until it is unparked (member).
  EVERSLOT_INPUT_KIND_PARK,
  // Bring a parked member back (member).
  EVERSLOT_INPUT_KIND_UNPARK,
  // Try a lost member at once (member).
  EVERSLOT_INPUT_KIND_RECOVER,
  // Change what a member is there for (member, role).
  EVERSLOT_INPUT_KIND_SET_ROLE,
  // Change how lost members are brought back (policy).
  EVERSLOT_INPUT_KIND_SET_POLICY,
  // A call has found a member lost (member, incarnation, evidence).
  EVERSLOT_INPUT_KIND_LOST,
  // A call has found that a member is to be set aside (member, incarnation, why, and evidence.rv with `OTHER`).
  EVERSLOT_INPUT_KIND_QUARANTINE,
  // A step of an attempt has ended (member, serial, step, outcome; generation of the action when done; evidence or why else).
  EVERSLOT_INPUT_KIND_STEP,
  // A member has accepted the application's PIN (member, incarnation, user).
  EVERSLOT_INPUT_KIND_LOGIN_ACCEPTED,
  // The application logs out.
  EVERSLOT_INPUT_KIND_LOG_OUT,
  // A member has carried out a log-in or log-out (member, incarnation, generation, outcome; evidence or why).
  EVERSLOT_INPUT_KIND_LOGIN_CHANGED,
  // The status of each member has been shown.
  EVERSLOT_INPUT_KIND_STATUS_READ,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotInputKind EverslotInputKind;
#else
typedef uint8_t EverslotInputKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a step, or a change of a member's login, ended.
enum EverslotOutcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // As it should.
  EVERSLOT_OUTCOME_DONE,
  // It failed, and the evidence says how: the attempt has failed, the member that served is lost.
  EVERSLOT_OUTCOME_FAILED,
  // The member is to be set aside, and `why` says for what.
  EVERSLOT_OUTCOME_REFUSED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotOutcome EverslotOutcome;
#else
typedef uint8_t EverslotOutcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Something to do. What goes with each kind in an `EverslotAction` is in brackets.
enum EverslotActionKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Nothing.
  EVERSLOT_ACTION_KIND_NONE,
  // Perform a step of an attempt, then feed `STEP` (serial, step, login, generation).
  EVERSLOT_ACTION_KIND_PERFORM,
  // Log the user in at a member that serves, then feed `LOGIN_CHANGED` (incarnation, generation, login).
  EVERSLOT_ACTION_KIND_LOG_IN,
  // Log out at a member that serves, then feed `LOGIN_CHANGED` (incarnation, generation).
  EVERSLOT_ACTION_KIND_LOG_OUT,
  // Drop what is open at the member (incarnation).
  EVERSLOT_ACTION_KIND_CLOSE,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotActionKind EverslotActionKind;
#else
typedef uint8_t EverslotActionKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Something that happened. What goes with each kind in an `EverslotEvent`, the member aside, is in brackets.
enum EverslotEventKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Nothing.
  EVERSLOT_EVENT_KIND_NONE,
  // There is a further member (role).
  EVERSLOT_EVENT_KIND_ADDED,
  // It is no member any more.
  EVERSLOT_EVENT_KIND_REMOVED,
  // A member that served is lost (incarnation, evidence).
  EVERSLOT_EVENT_KIND_LOST,
  // An attempt to bring a member back has begun (number).
  EVERSLOT_EVENT_KIND_ATTEMPT_BEGAN,
  // An attempt has failed (number, step, evidence, has_next, next).
  EVERSLOT_EVENT_KIND_ATTEMPT_FAILED,
  // The attempts of an outage are used up (number).
  EVERSLOT_EVENT_KIND_GAVE_UP,
  // A member is in service again (incarnation, number).
  EVERSLOT_EVENT_KIND_RETURNED,
  // A member is set aside (evidence).
  EVERSLOT_EVENT_KIND_QUARANTINED,
  // A member is taken out of service by an operator.
  EVERSLOT_EVENT_KIND_PARKED,
  // A parked member is to come back.
  EVERSLOT_EVENT_KIND_UNPARKED,
  // A member is there for something else (role).
  EVERSLOT_EVENT_KIND_ROLE_CHANGED,
  // Lost members are brought back in another way (policy); of no member.
  EVERSLOT_EVENT_KIND_POLICY_CHANGED,
  // No active member is left, standby members serve; of no member.
  EVERSLOT_EVENT_KIND_STANDBY_SERVING,
  // An active member serves again, standby members rest; of no member.
  EVERSLOT_EVENT_KIND_ACTIVE_SERVING,
  // No member is left; of no member.
  EVERSLOT_EVENT_KIND_GROUP_DOWN,
  // A member serves again; of no member.
  EVERSLOT_EVENT_KIND_GROUP_UP,
  // The group is logged in (user); of no member.
  EVERSLOT_EVENT_KIND_LOGGED_IN,
  // The group is logged out; of no member.
  EVERSLOT_EVENT_KIND_LOGGED_OUT,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotEventKind EverslotEventKind;
#else
typedef uint8_t EverslotEventKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a call is told. What each kind reads of an `EverslotCallInput` is in brackets.
enum EverslotCallInputKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Begin.
  EVERSLOT_CALL_INPUT_KIND_START,
  // The outcome of `CHOOSE` (member, or `EVERSLOT_NOBODY`; incarnation).
  EVERSLOT_CALL_INPUT_KIND_CHOSEN,
  // The outcome of `SEND`: the member has replied (rv and what is known of the call).
  EVERSLOT_CALL_INPUT_KIND_REPLIED,
  // There is no reply to what was to be done (yes: the member may have executed it).
  EVERSLOT_CALL_INPUT_KIND_UNANSWERED,
  // The outcome of `REOPEN` (yes: there is a fresh session with the group's login).
  EVERSLOT_CALL_INPUT_KIND_REOPENED,
  // The outcome of `PROBE` (yes: the member answers a harmless call).
  EVERSLOT_CALL_INPUT_KIND_PROBED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotCallInputKind EverslotCallInputKind;
#else
typedef uint8_t EverslotCallInputKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What to do for a call. What goes with each in an `EverslotCallOutput` is in brackets.
enum EverslotNextKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Choose a member with `everslot_choose` (tried), then `CHOSEN`.
  EVERSLOT_NEXT_KIND_CHOOSE,
  // Send it to this member, if it is still in this incarnation, then `REPLIED` or `UNANSWERED` (member, incarnation).
  EVERSLOT_NEXT_KIND_SEND,
  // Make a fresh session with the group's login, then `REOPENED` (member, incarnation).
  EVERSLOT_NEXT_KIND_REOPEN,
  // Make a harmless call, then `PROBED` (member, incarnation).
  EVERSLOT_NEXT_KIND_PROBE,
  // Answer the application: the call is over (answer).
  EVERSLOT_NEXT_KIND_ANSWER,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotNextKind EverslotNextKind;
#else
typedef uint8_t EverslotNextKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What the application is answered.
enum EverslotAnswer
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The last reply, as it came.
  EVERSLOT_ANSWER_REPLY,
  // No member was left: `CKR_DEVICE_ERROR`.
  EVERSLOT_ANSWER_UNAVAILABLE,
  // It may have taken effect and may not be repeated: `CKR_DEVICE_ERROR`.
  EVERSLOT_ANSWER_UNKNOWN,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotAnswer EverslotAnswer;
#else
typedef uint8_t EverslotAnswer;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a member is doing.
enum EverslotMemberState
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Serves.
  EVERSLOT_MEMBER_STATE_ACTIVE,
  // Serves when no active member is left.
  EVERSLOT_MEMBER_STATE_STANDBY,
  // Gone; an attempt is due or will be.
  EVERSLOT_MEMBER_STATE_LOST,
  // An attempt is under way.
  EVERSLOT_MEMBER_STATE_RECOVERING,
  // All attempts are used up; an operator can recover it.
  EVERSLOT_MEMBER_STATE_GIVEN_UP,
  // Set aside; an operator can recover it.
  EVERSLOT_MEMBER_STATE_QUARANTINED,
  // Taken out of service by an operator.
  EVERSLOT_MEMBER_STATE_PARKED,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum EverslotMemberState EverslotMemberState;
#else
typedef uint8_t EverslotMemberState;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A group: memory of the caller's, of which only `everslot_group_new` and the functions that get it know what is in it. It can be moved and
// copied as it is, and needs no end.
typedef struct {
  // Tells a group that was made from memory that was not.
  uint64_t made;
  uint64_t state[EVERSLOT_GROUP_WORDS];
} EverslotGroup;

// How lost members are brought back.
typedef struct {
  // X: milliseconds from the beginning of one attempt at a member to the earliest beginning of the next.
  uint64_t interval;
  // N: how many attempts an outage is given, or `EVERSLOT_UNLIMITED`; 0 leaves it to the operator.
  uint16_t attempts;
} EverslotPolicy;

// What was seen of a member that is not well, with what goes with it.
typedef struct {
  // The code: of `CODE`, and of `SET_ASIDE` for `OTHER`; else 0.
  uint64_t rv;
  // An `EverslotEvidenceKind`.
  uint8_t kind;
  // Of `SET_ASIDE`: an `EverslotSetAsideReason`; else 0.
  uint8_t why;
} EverslotEvidence;

// What a group is told: set the kind and the fields that it reads, and leave the others zero.
typedef struct {
  // How lost members are brought back from now on.
  EverslotPolicy policy;
  // What was seen.
  EverslotEvidence evidence;
  // The attempt, as the action said.
  uint32_t serial;
  // The member's incarnation, as the action or the call said.
  uint32_t incarnation;
  // The change of the login, as the action said.
  uint32_t generation;
  // An `EverslotInputKind`.
  uint8_t kind;
  // The member.
  uint8_t member;
  // An `EverslotRole`.
  uint8_t role;
  // An `EverslotStep`.
  uint8_t step;
  // An `EverslotOutcome`.
  uint8_t outcome;
  // An `EverslotUser`.
  uint8_t user;
  // An `EverslotSetAsideReason`.
  uint8_t why;
} EverslotInput;

// A text that is not ended by a zero: `printf("%.*s", (int)words.length, words.text)`.
typedef struct {
  // Its first byte; it stays where it is. Null if there is none.
  const uint8_t *text;
  // How many bytes.
  size_t length;
} EverslotWords;

// Something that happened: a line for the log.
typedef struct {
  // The policy from now on.
  EverslotPolicy policy;
  // What was seen.
  EverslotEvidence evidence;
  // The earliest beginning of the next attempt, in milliseconds.
  uint64_t next;
  // What happened, in words: those that the log of libeverslot.so has.
  EverslotWords words;
  // The incarnation that was lost or begins.
  uint32_t incarnation;
  // The how manieth attempt of the outage, or how many there were.
  uint16_t number;
  // An `EverslotEventKind`.
  uint8_t kind;
  // The member.
  uint8_t member;
  // An `EverslotRole`.
  uint8_t role;
  // An `EverslotStep`.
  uint8_t step;
  // An `EverslotUser`.
  uint8_t user;
  // Whether there will be a next attempt by itself.
  uint8_t has_next;
} EverslotEvent;

// Something to do for a member.
typedef struct {
  // The attempt.
  uint32_t serial;
  // The member's incarnation.
  uint32_t incarnation;
  // Which change of the login it is.
  uint32_t generation;
  // An `EverslotActionKind`.
  uint8_t kind;
  // The member.
  uint8_t member;
  // An `EverslotStep`.
  uint8_t step;
  // Whose login the member is brought to: an `EverslotLogin`.
  uint8_t login;
} EverslotAction;

// What is to be done about an input, in this order, and what to log of it.
typedef struct {
  // What happened: the first `events_length`.
  EverslotEvent events[EVERSLOT_EVENTS];
  // What to do: the first `actions_length`.
  EverslotAction actions[EVERSLOT_MEMBERS];
  // How many actions there are.
  uint8_t actions_length;
  // How many events there are.
  uint8_t events_length;
} EverslotOutput;

// Who may be sent calls: bit n is member n. To be had anew after each input.
typedef struct {
  // Those that take their share.
  uint32_t active;
  // Those that take calls when no active one is left.
  uint32_t standby;
  // Those that are logging in or out: a call that finds no other member waits for them.
  uint32_t changing;
} EverslotServing;

// What is known of a member.
typedef struct {
  // What was seen of it last, unless it serves or is parked.
  EverslotEvidence evidence;
  // The code that a status read shows: `CKR_OK`, `CKR_DEVICE_ERROR` or `CKR_TOKEN_NOT_PRESENT`. Feed `STATUS_READ` once all members have been shown.
  uint64_t code;
  // How often it has come into service.
  uint32_t incarnation;
  // Attempts of its outage that have begun.
  uint16_t attempts;
  // An `EverslotRole`.
  uint8_t role;
  // An `EverslotMemberState`.
  uint8_t state;
  // Whether calls may go to it.
  uint8_t is_usable;
} EverslotMemberStatus;

// A call: memory of the caller's, as a group is.
typedef struct {
  // Tells a call that was made from memory that was not.
  uint32_t made;
  uint32_t state[EVERSLOT_CALL_WORDS];
} EverslotCall;

// What a call is, before it begins: numbers, and truths that are 0 or not. All zero is one that may not be repeated and may go to any member.
typedef struct {
  // The incarnation in which its work began, if it is pinned.
  uint32_t incarnation;
  // The member that it is pinned to.
  uint8_t member;
  // Whether a second execution does no harm: it reads, or computes and leaves no trace.
  uint8_t repeatable;
  // Whether it may go only to the member that holds what it goes on with.
  uint8_t pinned;
} EverslotCallOptions;

// What a call is told: set the kind and the fields that it reads, and leave the others zero. A truth is anything but 0.
typedef struct {
  // The `CK_RV` of the reply.
  uint64_t rv;
  // The chosen member's incarnation.
  uint32_t incarnation;
  // An `EverslotCallInputKind`.
  uint8_t kind;
  // The chosen member.
  uint8_t member;
  // How it went.
  uint8_t yes;
  // Of a reply: the group is logged in.
  uint8_t logged_in;
  // Of a reply: the call is a login.
  uint8_t login_call;
  // Of a reply to a login: another member has accepted this PIN.
  uint8_t pin_accepted;
  // Of a reply: every object handle in the request was made from a valid one.
  uint8_t handles_resolved;
} EverslotCallInput;

// What a call wants, and what it has found out.
typedef struct {
  // With `why` `OTHER`: the code that the member is set aside for.
  uint64_t rv;
  // The members that it has been sent to: bit n is member n.
  uint32_t tried;
  // The member's incarnation.
  uint32_t incarnation;
  // The incarnation of the member that was found lost or is to be set aside.
  uint32_t found_incarnation;
  // An `EverslotNextKind`.
  uint8_t next;
  // The member.
  uint8_t member;
  // An `EverslotAnswer`.
  uint8_t answer;
  // A member that was found lost, else `EVERSLOT_NOBODY`: feed `LOST` to the group, with the evidence.
  uint8_t lost;
  // A member that is to be set aside, else `EVERSLOT_NOBODY`: feed `QUARANTINE` to the group.
  uint8_t set_aside;
  // An `EverslotSetAsideReason`.
  uint8_t why;
} EverslotCallOutput;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Makes a group without members.
bool everslot_group_new(EverslotGroup *group, const EverslotPolicy *policy);

// Feeds a group an input. `now` is in milliseconds from any start, and does not go back. An input that does not fit the state is void: it is
// accepted, nothing changes, and nothing comes out.
bool everslot_group_handle(EverslotGroup *group,
                           const EverslotInput *input,
                           uint64_t now,
                           EverslotOutput *output);

// When `TIMER` is wanted, in milliseconds, and for which member; `false` if not before another input. To be asked after each input.
bool everslot_group_poll_timeout(const EverslotGroup *group,
                                 uint64_t *at,
                                 uint8_t *member);

// Who may be sent calls.
bool everslot_group_serving(const EverslotGroup *group, EverslotServing *serving);

// What is known of a member; `false` if there is none of this number.
bool everslot_group_member(const EverslotGroup *group,
                           uint8_t member,
                           EverslotMemberStatus *status);

// The member that a call goes to: the least busy of those that serve, are eligible and have not been tried, standby members last;
// `EVERSLOT_NOBODY` if there is none.
//
// `eligible` and `tried` have bit n for member n. `loads` says of each of `EVERSLOT_MEMBERS` members how many calls it has outstanding;
// null if they are all alike. Among equals they take turns as `cursor` counts up.
uint8_t everslot_choose(const EverslotServing *serving,
                        uint32_t eligible,
                        uint32_t tried,
                        const uint32_t *loads,
                        uint32_t cursor);

// Makes a call. What it is to do first comes with `START`.
bool everslot_call_new(EverslotCall *call, const EverslotCallOptions *options);

// Tells a call what has come of what it wanted, and gets what it wants next. An input that is not that is void: what it waits for is said again.
bool everslot_call_handle(EverslotCall *call,
                          const EverslotCallInput *input,
                          EverslotCallOutput *output);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* EVERSLOT_CORE_H */
