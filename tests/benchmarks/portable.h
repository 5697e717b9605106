/* What Linux and macOS do differently: waiting for many sockets, and looking at another process. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored anyway */
#endif
enum { MAX_READY = 512 };

typedef struct {
    void *who;
    int readable, writable;
} Ready;

static void unblock(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

/* More sockets than a shell allows by default: up to what the system allows. */
static void allow_many_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
#ifdef OPEN_MAX
    if (limit.rlim_cur > OPEN_MAX) limit.rlim_cur = OPEN_MAX;
#endif
    setrlimit(RLIMIT_NOFILE, &limit);
}

#ifdef __linux__
#include <sys/epoll.h>

static int poller_open(void) { return epoll_create1(0); }

/* Readability always, writability where asked; again for a socket that is known, to change that. */
static void poller_watch(int poller, int fd, void *who, int writable) {
    struct epoll_event e = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = who};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, fd, &e)) epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
}

static int poller_wait(int poller, Ready *ready, int milliseconds) {
    struct epoll_event events[MAX_READY];
    int n = epoll_wait(poller, events, MAX_READY, milliseconds);
    for (int i = 0; i < n; i++) {
        ready[i].who = events[i].data.ptr;
        ready[i].readable = events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR);
        ready[i].writable = events[i].events & EPOLLOUT;
    }
    return n;
}

/* Seconds of user and system time. */
static double process_cpu(int pid) {
    char line[2048];
    unsigned long user = 0, system = 0;
    snprintf(line, sizeof line, "/proc/%d/stat", pid);
    FILE *f = fopen(line, "r");
    if (!f) return 0;
    line[fread(line, 1, sizeof line - 1, f)] = 0;
    fclose(f);
    char *rest = strrchr(line, ')');
    if (rest) sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

/* Resident memory in KiB. */
static long process_memory(int pid) {
    char line[256];
    long kib = 0;
    snprintf(line, sizeof line, "/proc/%d/status", pid);
    FILE *f = fopen(line, "r");
    if (!f) return 0;
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, "VmRSS:", 6)) kib = atol(line + 6);
    fclose(f);
    return kib;
}

#else
#include <libproc.h>
#include <mach/mach_time.h>
#include <sys/event.h>

static int poller_open(void) { return kqueue(); }

static void poller_watch(int poller, int fd, void *who, int writable) {
    struct kevent change;
    EV_SET(&change, fd, EVFILT_READ, EV_ADD, 0, 0, who);
    kevent(poller, &change, 1, NULL, 0, NULL);
    EV_SET(&change, fd, EVFILT_WRITE, writable ? EV_ADD : EV_DELETE, 0, 0, who);
    kevent(poller, &change, 1, NULL, 0, NULL);
}

static int poller_wait(int poller, Ready *ready, int milliseconds) {
    struct kevent events[MAX_READY];
    struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    int n = kevent(poller, NULL, 0, events, MAX_READY, milliseconds < 0 ? NULL : &timeout);
    for (int i = 0; i < n; i++) {
        ready[i].who = events[i].udata;
        ready[i].readable = events[i].filter == EVFILT_READ;
        ready[i].writable = events[i].filter == EVFILT_WRITE;
    }
    return n;
}

static struct rusage_info_v2 usage_of(int pid) {
    struct rusage_info_v2 usage = {0};
    proc_pid_rusage(pid, RUSAGE_INFO_V2, (rusage_info_t *)&usage);
    return usage;
}

static double process_cpu(int pid) {
    struct rusage_info_v2 usage = usage_of(pid);
    mach_timebase_info_data_t base;
    mach_timebase_info(&base);
    return (double)(usage.ri_user_time + usage.ri_system_time) * base.numer / base.denom / 1e9;
}

static long process_memory(int pid) { return usage_of(pid).ri_resident_size / 1024; }
#endif
