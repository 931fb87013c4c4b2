/*
 * everslot's own interface: what a group of tokens is doing, and an order to try a member again.
 *
 * Include your PKCS#11 header first: CK_RV, CK_ULONG, CK_VERSION and the like are taken from it. The interface is found through the
 * standard's own function:
 *
 *     CK_INTERFACE *found;
 *     CK_VERSION version = EVERSLOT_INTERFACE_VERSION;
 *     CK_RV rv = C_GetInterface((CK_UTF8CHAR *)EVERSLOT_INTERFACE_NAME, &version, &found, 0);
 *     EVERSLOT_FUNCTION_LIST *everslot = found->pFunctionList;
 *
 * No function of it asks a member anything: each answers at once from what is known. Numbers that are not to be had, and limits that
 * there are not, are CK_UNAVAILABLE_INFORMATION.
 */
#ifndef EVERSLOT_H
#define EVERSLOT_H

#ifdef __cplusplus
extern "C" {
#endif

#define EVERSLOT_INTERFACE_NAME "Vendor everslot"
#define EVERSLOT_INTERFACE_VERSION { 1, 0 }

/* EVERSLOT_MEMBER.role */
#define EVERSLOT_ROLE_ACTIVE 0UL  /* takes its share of the calls */
#define EVERSLOT_ROLE_STANDBY 1UL /* takes calls only when no active member is left */

/* EVERSLOT_MEMBER.state */
#define EVERSLOT_STATE_ACTIVE 0UL      /* serves */
#define EVERSLOT_STATE_STANDBY 1UL     /* serves when no active member is left */
#define EVERSLOT_STATE_LOST 2UL        /* gone */
#define EVERSLOT_STATE_RECOVERING 3UL  /* an attempt to bring it back is under way */
#define EVERSLOT_STATE_GIVEN_UP 4UL    /* its attempts are used up */
#define EVERSLOT_STATE_QUARANTINED 5UL /* set aside, since trying it again would do harm */
#define EVERSLOT_STATE_PARKED 6UL      /* taken out of service by an operator */

typedef struct EVERSLOT_MEMBER {
    CK_UTF8CHAR name[64];     /* its name in the configuration; ends with a zero byte, cut where it is longer */
    CK_UTF8CHAR serial[20];   /* its token's serial; ends with a zero byte; empty as long as the token was never seen */
    CK_ULONG role;            /* EVERSLOT_ROLE_... */
    CK_ULONG state;           /* EVERSLOT_STATE_... */
    CK_RV status;             /* what CA_GetHAState would show */
    CK_ULONG incarnation;     /* how often it has come into service */
    CK_ULONG attempts;        /* attempts begun in this outage */
    CK_ULONG attemptsAllowed; /* attempts that an outage is given */
    CK_ULONG nextAttempt;     /* milliseconds until the next attempt may begin */
    CK_ULONG inFlight;        /* calls that it is executing */
    CK_ULONG calls;           /* calls that it has answered since C_Initialize */
    CK_ULONG failures;        /* calls that it has not answered, or whose answer spoke against it */
    CK_ULONG losses;          /* times that it was lost */
    CK_ULONG recoveries;      /* times that it came back */
} EVERSLOT_MEMBER;

typedef struct EVERSLOT_FUNCTION_LIST {
    CK_VERSION version;

    /*
     * The members of the group in slot slotID, in the order of the configuration. By the convention of C_GetSlotList: with a null
     * pMembers only their number is put into *pulCount; CKR_BUFFER_TOO_SMALL if there is room for fewer. It is no status read by the
     * rule of CA_GetHAState: looking changes nothing.
     *
     * CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SLOT_ID_INVALID, CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL
     */
    CK_RV (*EV_GetMembers)(CK_SLOT_ID slotID, EVERSLOT_MEMBER *pMembers, CK_ULONG *pulCount);

    /*
     * Has the member of that name (ulNameLen bytes, no zero byte) tried at once, or with a null pName all that do not serve: each gets a
     * fresh outage's attempts. Returns without waiting for the outcome.
     *
     * CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SLOT_ID_INVALID; CKR_ARGUMENTS_BAD when there is no such member, it serves, or it is parked.
     */
    CK_RV (*EV_RecoverMember)(CK_SLOT_ID slotID, const CK_UTF8CHAR *pName, CK_ULONG ulNameLen);
} EVERSLOT_FUNCTION_LIST;

#ifdef __cplusplus
}
#endif

#endif
