/*
 * Asks a module for the state of its first slot's group each time a line comes in, as a program written for Luna does, and prints it as
 * CKDemo does; with "members" as the line, it asks through everslot's own interface.
 *
 *   ha_state MODULE
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef unsigned char CK_BYTE, CK_CHAR, CK_UTF8CHAR, CK_BBOOL;
typedef unsigned long CK_ULONG, CK_RV, CK_SLOT_ID, CK_FLAGS;
typedef struct CK_VERSION { CK_BYTE major, minor; } CK_VERSION;
typedef struct CK_INTERFACE { CK_UTF8CHAR *pInterfaceName; void *pFunctionList; CK_FLAGS flags; } CK_INTERFACE;

#include "everslot.h"

/* As Luna's header has them. */
#define CK_HA_MAX_MEMBERS 32
#define CK_TOKEN_SERIAL_NUMBER_SIZE 16
typedef struct CK_HA_MEMBER { CK_CHAR memberSerial[CK_TOKEN_SERIAL_NUMBER_SIZE + 4]; CK_RV memberStatus; } CK_HA_MEMBER;
typedef struct CK_HA_STATUS {
    CK_CHAR groupSerial[CK_TOKEN_SERIAL_NUMBER_SIZE + 4];
    CK_HA_MEMBER memberList[CK_HA_MAX_MEMBERS];
    CK_ULONG listSize;
} CK_HA_STATUS;

typedef CK_RV (*initialize_t)(void *);
typedef CK_RV (*slots_t)(CK_BBOOL, CK_SLOT_ID *, CK_ULONG *);
typedef CK_RV (*state_t)(CK_SLOT_ID, CK_HA_STATUS *);
typedef CK_RV (*interface_t)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);

static const char *name(CK_RV rv) {
    switch (rv) {
    case 0x00: return "CKR_OK";
    case 0x30: return "CKR_DEVICE_ERROR";
    case 0xE0: return "CKR_TOKEN_NOT_PRESENT";
    default: return "another code";
    }
}

static CK_RV luna(state_t state, CK_SLOT_ID slot) {
    CK_HA_STATUS status;
    memset(&status, 0, sizeof status);
    status.listSize = 0xFFFFFFFF;
    CK_RV rv = state(slot, &status);
    if (rv == 0) {
        printf("HA group %s status:\n", status.groupSerial);
        for (CK_ULONG i = 0; i < status.listSize; i++)
            printf("   HSM %s - %s\n", status.memberList[i].memberSerial, name(status.memberList[i].memberStatus));
    }
    return rv;
}

static CK_RV ours(interface_t interface, CK_SLOT_ID slot) {
    CK_VERSION version = EVERSLOT_INTERFACE_VERSION;
    CK_INTERFACE *found;
    EVERSLOT_MEMBER members[CK_HA_MAX_MEMBERS];
    CK_ULONG count = CK_HA_MAX_MEMBERS;
    CK_RV rv = interface((CK_UTF8CHAR *)EVERSLOT_INTERFACE_NAME, &version, &found, 0);
    if (rv != 0)
        return rv;
    EVERSLOT_FUNCTION_LIST *everslot = found->pFunctionList;
    rv = everslot->EV_GetMembers(slot, members, &count);
    for (CK_ULONG i = 0; rv == 0 && i < count; i++)
        printf("%s %s state %lu losses %lu recoveries %lu\n", members[i].name, members[i].serial, members[i].state, members[i].losses,
               members[i].recoveries);
    return rv == 0 ? everslot->EV_RecoverMember(slot, NULL, 0) : rv;
}

int main(int argc, char **argv) {
    void *module = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (module == NULL) {
        fprintf(stderr, "ha_state MODULE: %s\n", argc == 2 ? dlerror() : "which module?");
        return 2;
    }
    initialize_t initialize = (initialize_t)dlsym(module, "C_Initialize"), finalize = (initialize_t)dlsym(module, "C_Finalize");
    slots_t slots = (slots_t)dlsym(module, "C_GetSlotList");
    state_t state = (state_t)dlsym(module, "CA_GetHAState"), current = (state_t)dlsym(module, "CA_GetCurrentHAState");
    interface_t interface = (interface_t)dlsym(module, "C_GetInterface");
    if (!initialize || !finalize || !slots || !state || !current || !interface) {
        fprintf(stderr, "ha_state: the module has not all functions\n");
        return 2;
    }
    CK_SLOT_ID slot;
    CK_ULONG count = 1;
    CK_RV rv = initialize(NULL);
    if (rv == 0)
        rv = slots(0, &slot, &count);
    char line[64];
    while (rv == 0 && fgets(line, sizeof line, stdin) != NULL) {
        if (strcmp(line, "members\n") == 0)
            rv = ours(interface, slot);
        else
            rv = luna(strcmp(line, "current\n") == 0 ? current : state, slot);
        printf("Status: 0x%lx\n", rv);
        fflush(stdout);
    }
    finalize(NULL);
    return rv == 0 ? 0 : 1;
}
