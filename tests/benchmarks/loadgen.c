/* loadgen: load for Socket.IO servers from one thread, on the loopback.
 *
 *   cc -O2 -o loadgen loadgen.c
 *   loadgen --port P --proto eio4|eio3|sio09 --workload ack|amplify|fanout|connect|poll
 *           [--conns N] [--idle N] [--outstanding K] [--window K] [--warmup S] [--secs S] [--server-pid PID]
 *
 * Prints one JSON object. What the server under test must do for it stands at the top of peers.py. `--idle` connections
 * are there besides the `--conns` that work; they do nothing but answer pings.
 */
#include "portable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <time.h>

enum { EIO4, EIO3, SIO09 };
enum { W_ACK, W_AMPLIFY, W_FANOUT, W_CONNECT, W_POLL };
enum {
    S_IDLE,
    S_CONNECTING,
    S_HS09,
    S_UPGRADE,
    S_OPEN,
    S_SIOCONN,
    S_JOIN,
    S_READY,
    P_HS,
    P_CONNPOST,
    P_CONNGET,
    P_RUN
};
enum { M_OTHER, M_OPEN, M_CONNECT, M_EVENT, M_ACK, M_PING, M_ERROR };

#define TSN 64
#define AMP 10
typedef struct conn {
    int fd, idx, state, polling_post, busy, want_out;
    unsigned char *left;
    uint32_t leftlen;
    char *out;
    uint32_t outlen;
    uint32_t next_id;
    int outstanding, await;
    char sid[80];
    struct conn *peer;
    uint64_t ts[TSN];
} conn;

static int proto = EIO4, work = W_ACK, nconn = 100, K = 1, port = 0, spid = 0, rampmax = 64, window = 4;
static double warm = 0.5, secs = 1.5;
static const char *PAYLOAD = "{\"type\":\"fireball\",\"n\":123}";
static int nidle;
static int ep;
static conn *cs;
static struct sockaddr_in addr;
static int nready, ninflight, nstarted;
static uint64_t count, errors, verified, published, subs, delivered;
static uint32_t hist[4096];
static int histon;
static unsigned char rbuf[1 << 20];

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void die(const char *m) {
    fprintf(stderr, "loadgen: %s (errno %s)\n", m, strerror(errno));
    exit(2);
}
static void fail(conn *c, const char *m, const void *p, size_t n) {
    errors++;
    if (errors <= 5)
        fprintf(stderr, "loadgen: conn %d state %d: %s: %.*s\n", c->idx, c->state, m, (int)(n > 200 ? 200 : n),
                (const char *)p);
    if (errors > 100000) exit(3);
}
static double self_cpu(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
static void lat(uint64_t ns) {
    if (!histon) return;
    uint64_t us = ns / 10000; /* 10us buckets then coarse */
    if (us >= 2048) {
        us = 2048 + (us - 2048) / 100;
        if (us > 4095) us = 4095;
    }
    hist[us]++;
}
static double pct(double q) {
    uint64_t tot = 0, acc = 0;
    for (int i = 0; i < 4096; i++) tot += hist[i];
    for (int i = 0; i < 4096; i++) {
        acc += hist[i];
        if (tot && acc >= q * tot) return (i < 2048 ? i : 2048 + (i - 2048) * 100) * 0.01;
    }
    return 0;
}

static void mod(conn *c, int out) {
    poller_watch(ep, c->fd, c, out);
    c->want_out = out;
}
static void xsend(conn *c, const void *p, size_t n) {
    if (!c->outlen) {
        ssize_t r = send(c->fd, p, n, MSG_NOSIGNAL);
        if (r == (ssize_t)n) return;
        if (r < 0) {
            if (errno != EAGAIN) {
                fail(c, "send failed", strerror(errno), strlen(strerror(errno)));
                return;
            }
            r = 0;
        }
        p = (const char *)p + r;
        n -= r;
    }
    c->out = realloc(c->out, c->outlen + n);
    memcpy(c->out + c->outlen, p, n);
    c->outlen += n;
    if (!c->want_out) mod(c, 1);
}
static void flush_out(conn *c) {
    if (c->outlen) {
        ssize_t r = send(c->fd, c->out, c->outlen, MSG_NOSIGNAL);
        if (r > 0) {
            memmove(c->out, c->out + r, c->outlen - r);
            c->outlen -= r;
        }
    }
    if (!c->outlen && c->want_out) mod(c, 0);
}
static void do_connect(conn *c) {
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0) die("socket");
    unblock(c->fd);
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int r = connect(c->fd, (struct sockaddr *)&addr, sizeof addr);
    if (r < 0 && errno != EINPROGRESS) die("connect");
    mod(c, 1);
    c->leftlen = 0;
    c->outlen = 0;
}

/* ---------- websocket frames ---------- */
static size_t frame(unsigned char *o, const char *p, size_t n) { /* masked text frame */
    static uint32_t key = 0x9e3779b9;
    key = key * 1664525u + 1013904223u;
    unsigned char k[4];
    memcpy(k, &key, 4);
    size_t h = 2;
    o[0] = 0x81;
    if (n < 126)
        o[1] = 0x80 | n;
    else {
        o[1] = 0xfe;
        o[2] = n >> 8;
        o[3] = n;
        h = 4;
    }
    memcpy(o + h, k, 4);
    h += 4;
    for (size_t i = 0; i < n; i++) o[h + i] = p[i] ^ k[i & 3];
    return h + n;
}
static void send_text(conn *c, const char *p) {
    unsigned char b[1024];
    xsend(c, b, frame(b, p, strlen(p)));
}
static int put_u(char *o, uint32_t v) {
    char t[12];
    int n = 0;
    do t[n++] = '0' + v % 10;
    while (v /= 10);
    for (int i = 0; i < n; i++) o[i] = t[n - 1 - i];
    return n;
}
static size_t event_text(char *o, const char *name, int with_id, uint32_t id) { /* one Socket.IO event, no frame */
    char *s = o;
    if (proto == SIO09) {
        memcpy(o, "5:", 2);
        o += 2;
        if (with_id) {
            o += put_u(o, id);
            *o++ = '+';
        }
        memcpy(o, "::{\"name\":\"", 11);
        o += 11;
        size_t l = strlen(name);
        memcpy(o, name, l);
        o += l;
        memcpy(o, "\",\"args\":[", 10);
        o += 10;
        l = strlen(PAYLOAD);
        memcpy(o, PAYLOAD, l);
        o += l;
        *o++ = ']';
        *o++ = '}';
    } else {
        *o++ = '4';
        *o++ = '2';
        if (with_id) o += put_u(o, id);
        *o++ = '[';
        *o++ = '"';
        size_t l = strlen(name);
        memcpy(o, name, l);
        o += l;
        *o++ = '"';
        *o++ = ',';
        l = strlen(PAYLOAD);
        memcpy(o, PAYLOAD, l);
        o += l;
        *o++ = ']';
    }
    return o - s;
}
static int classify(const char *m, size_t n, uint32_t *id) {
    if (n < 1) return M_OTHER;
    if (proto == SIO09) {
        switch (m[0]) {
            case '1':
                return M_CONNECT;
            case '2':
                return M_PING;
            case '5':
                return M_EVENT;
            case '7':
                return M_ERROR;
            case '0':
                return M_ERROR;
            case '6':
                if (n > 4) *id = strtoul(m + 4, 0, 10);
                return M_ACK;
        }
        return M_OTHER;
    }
    switch (m[0]) {
        case '0':
            return M_OPEN;
        case '2':
            return M_PING;
        case '1':
            return M_ERROR;
        case '4':
            if (n < 2) return M_OTHER;
            switch (m[1]) {
                case '0':
                    return M_CONNECT;
                case '2':
                    return M_EVENT;
                case '4':
                    return M_ERROR;
                case '1':
                    return M_ERROR;
                case '3':
                    *id = strtoul(m + 2, 0, 10);
                    return M_ACK;
            }
    }
    return M_OTHER;
}
static void verify(conn *c, const char *m, size_t n, const char *needle) { /* the first messages are read in full */
    if (verified < 2000) {
        verified++;
        if (!memmem(m, n, needle, strlen(needle))) fail(c, "unexpected content", m, n);
    }
}

/* ---------- workload steps (websocket) ---------- */
static void send_acks(conn *c, int n) {
    unsigned char b[16384];
    size_t o = 0;
    char t[512];
    while (n-- > 0) {
        uint32_t id = ++c->next_id;
        size_t l = event_text(t, "ping", 1, id);
        c->ts[id % TSN] = now_ns();
        c->outstanding++;
        o += frame(b + o, t, l);
        if (o > 15000) {
            xsend(c, b, o);
            o = 0;
        }
    }
    if (o) xsend(c, b, o);
}
static void send_fireball(conn *c) {
    unsigned char b[1024];
    char t[512];
    size_t l = event_text(t, "fireball", 0, 0);
    c->await = AMP;
    xsend(c, b, frame(b, t, l));
}
static void publish(void) {
    unsigned char b[4096];
    char t[512];
    size_t o = 0;
    while (published < delivered / subs + window && o < 3500) {
        size_t l = event_text(t, "pub", 0, 0);
        o += frame(b + o, t, l);
        published++;
    }
    if (o) xsend(&cs[0], b, o);
}
static void kick(void) { /* every connection is ready: start the traffic */
    if (work == W_ACK)
        for (int i = 0; i < nconn - nidle; i++) send_acks(&cs[i], K);
    else if (work == W_AMPLIFY)
        for (int i = 0; i < nconn - nidle; i++) send_fireball(&cs[i]);
    else if (work == W_FANOUT)
        publish();
}
static void start_next(void) {
    while (nstarted < nconn && ninflight < rampmax) {
        conn *c = &cs[nstarted++];
        ninflight++;
        c->state = S_CONNECTING;
        do_connect(c);
    }
}
static void set_ready(conn *c) {
    c->state = S_READY;
    nready++;
    ninflight--;
    if (work != W_POLL) start_next();
}
static int acks_now; /* acks seen in this read, answered in one send */
static void on_msg(conn *c, const char *m, size_t n) {
    uint32_t id = 0;
    int t = classify(m, n, &id);
    if (t == M_ERROR) {
        fail(c, "error packet", m, n);
        return;
    }
    if (t == M_PING) {
        if (proto == SIO09)
            send_text(c, "2::");
        else if (proto == EIO4)
            send_text(c, "3");
        return;
    }
    switch (c->state) {
        case S_OPEN:
            if (t == M_OPEN) {
                c->state = S_SIOCONN;
                if (proto == EIO4) send_text(c, "40");
            }
            return;
        case S_SIOCONN:
            if (t == M_CONNECT) {
                if (work == W_FANOUT && c->idx > 0 && c->idx < nconn - nidle) {
                    unsigned char b[512];
                    char x[400];
                    size_t l = event_text(x, "join", 1, 0);
                    if (proto == SIO09) l = event_text(x, "join", 1, 1);
                    c->state = S_JOIN;
                    xsend(c, b, frame(b, x, l));
                } else
                    set_ready(c);
            }
            return;
        case S_JOIN:
            if (t == M_ACK) set_ready(c);
            return;
        case S_READY:
            if (work == W_ACK) {
                if (t == M_ACK) {
                    count++;
                    c->outstanding--;
                    acks_now++;
                    lat(now_ns() - c->ts[id % TSN]);
                    verify(c, m, n, "\"n\":123");
                }
            } else if (work == W_AMPLIFY) {
                if (t == M_EVENT) {
                    count++;
                    verify(c, m, n, "\"pong\"");
                    if (--c->await == 0) send_fireball(c);
                }
            } else if (work == W_FANOUT) {
                if (t == M_EVENT && c->idx > 0) {
                    count++;
                    delivered++;
                    verify(c, m, n, "\"n\":123");
                    if (delivered % subs == 0) publish();
                }
            }
    }
}

/* ---------- HTTP ---------- */
static void req(conn *c, const char *method, const char *path, const char *extra, const char *body) {
    char b[2048];
    int n;
    if (body)
        n = snprintf(b, sizeof b,
                     "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%sContent-Type: "
                     "text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s",
                     method, path, port, extra, strlen(body), body);
    else
        n = snprintf(b, sizeof b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", method, path, port, extra);
    xsend(c, b, n);
}
static const char *WSH =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
/* returns bytes used (0: incomplete, -1: error); the body (decoded in place when chunked) goes to bp, bn */
static long http_resp(unsigned char *p, size_t n, int *status, unsigned char **bp, size_t *bn) {
    unsigned char *e = memmem(p, n, "\r\n\r\n", 4);
    if (!e) return 0;
    *status = atoi((char *)p + 9);
    size_t h = e + 4 - p;
    long cl = -1;
    int chunked = 0;
    for (unsigned char *l = p; l < e;) {
        unsigned char *nl = memmem(l, e + 2 - l, "\r\n", 2);
        if (!strncasecmp((char *)l, "content-length:", 15)) cl = atol((char *)l + 15);
        if (!strncasecmp((char *)l, "transfer-encoding:", 18) && memmem(l, nl - l, "chunked", 7)) chunked = 1;
        l = nl + 2;
    }
    if (*status == 101) {
        *bp = e + 4;
        *bn = 0;
        return h;
    }
    if (chunked) {
        unsigned char *q = e + 4, *w = e + 4, *end = p + n;
        *bp = w;
        for (;;) {
            unsigned char *nl = memmem(q, end - q, "\r\n", 2);
            if (!nl) return 0;
            size_t sz = strtoul((char *)q, 0, 16);
            if (nl + 2 + sz + 2 > end) return 0;
            if (sz == 0) {
                *bn = w - *bp;
                return nl + 4 - p;
            }
            /* keep raw until complete: decode only on the final pass */
            unsigned char *scan = nl + 2 + sz + 2;
            int complete = 0;
            unsigned char *s2 = scan;
            for (;;) {
                unsigned char *n2 = memmem(s2, end - s2, "\r\n", 2);
                if (!n2) break;
                size_t z2 = strtoul((char *)s2, 0, 16);
                if (n2 + 2 + z2 + 2 > end) break;
                if (!z2) {
                    complete = 1;
                    break;
                }
                s2 = n2 + 2 + z2 + 2;
            }
            if (!complete) return 0;
            memmove(w, nl + 2, sz);
            w += sz;
            q = scan;
        }
    }
    if (cl < 0) cl = 0;
    if (n < h + cl) return 0;
    *bp = e + 4;
    *bn = cl;
    return h + cl;
}
static void poll_get(conn *c) {
    char p[256];
    if (proto == SIO09)
        snprintf(p, sizeof p, "/socket.io/1/xhr-polling/%s?t=1", c->sid);
    else
        snprintf(p, sizeof p, "/socket.io/?EIO=%d&transport=polling&sid=%s", proto == EIO3 ? 3 : 4, c->sid);
    req(c, "GET", p, "", 0);
}
static void poll_post(conn *c, const char *packet) {
    conn *q = c->peer;
    char p[256], body[1024];
    if (proto == SIO09)
        snprintf(p, sizeof p, "/socket.io/1/xhr-polling/%s?t=1", c->sid);
    else
        snprintf(p, sizeof p, "/socket.io/?EIO=%d&transport=polling&sid=%s", proto == EIO3 ? 3 : 4, c->sid);
    if (proto == EIO3)
        snprintf(body, sizeof body, "%zu:%s", strlen(packet), packet);
    else
        snprintf(body, sizeof body, "%s", packet);
    q->busy = 1;
    req(q, "POST", p, "", body);
}
static void poll_event(conn *c) {
    char t[512];
    uint32_t id = ++c->next_id;
    size_t l = event_text(t, "ping", 1, id);
    t[l] = 0;
    c->outstanding = 1;
    c->ts[id % TSN] = now_ns();
    poll_post(c, t);
}
static void poll_packet(conn *c, const char *m, size_t n) {
    uint32_t id = 0;
    int t = classify(m, n, &id);
    if (t == M_ACK && c->state == P_RUN) {
        count++;
        c->outstanding = 0;
        lat(now_ns() - c->ts[id % TSN]);
        verify(c, m, n, "\"n\":123");
    } else if (t == M_CONNECT && c->state == P_CONNGET) {
        c->state = P_RUN;
        nready++;
    } else if (t == M_ERROR)
        fail(c, "error packet", m, n);
    else if (t == M_PING)
        c->await = 1;
}
static void poll_body(conn *c, char *b, size_t n) {
    if (proto == EIO4) {
        size_t i = 0;
        while (i <= n) {
            char *e = memchr(b + i, 0x1e, n - i);
            size_t l = e ? (size_t)(e - b - i) : n - i;
            if (l) poll_packet(c, b + i, l);
            i += l + 1;
        }
    } else if (proto == EIO3) {
        size_t i = 0;
        while (i < n) {
            char *e;
            size_t l = strtoul(b + i, &e, 10);
            if (*e != ':') {
                fail(c, "bad payload", b, n);
                return;
            }
            i = e + 1 - b;
            poll_packet(c, b + i, l);
            i += l;
        }
    } else if (n >= 3 && !memcmp(b, "\xef\xbf\xbd", 3)) {
        size_t i = 0;
        while (i + 6 < n) {
            char *e;
            size_t l = strtoul(b + i + 3, &e, 10);
            i = e + 3 - b;
            poll_packet(c, b + i, l);
            i += l;
        }
    } else
        poll_packet(c, b, n);
}
static int run_started;
static void poll_maybe_next(conn *c) {
    if (c->state == P_RUN && run_started && !c->peer->busy) {
        if (c->await && proto == EIO4) {
            c->await = 0;
            poll_post(c, "3");
        } else if (!c->outstanding)
            poll_event(c);
    }
}
static void on_http(conn *c, int st, char *b, size_t n) {
    if (c->polling_post) {
        conn *g = c->peer;
        c->busy = 0;
        if (st != 200) fail(c, "POST status", b, n);
        if (g->state == P_CONNPOST) {
            g->state = P_CONNGET;
            poll_get(g);
        } else
            poll_maybe_next(g);
        return;
    }
    if (st != 200) {
        fail(c, "HTTP status", b, n);
        if (c->state != P_RUN) return;
        poll_get(c);
        return;
    }
    switch (c->state) {
        case P_HS: {
            if (proto == SIO09) {
                char *e = memchr(b, ':', n);
                size_t l = e ? (size_t)(e - b) : 0;
                if (!l || l > 79) {
                    fail(c, "handshake", b, n);
                    return;
                }
                memcpy(c->sid, b, l);
                c->sid[l] = 0;
                c->state = P_CONNGET;
                poll_get(c);
                return;
            }
            char *s = memmem(b, n, "\"sid\":\"", 7);
            if (!s) {
                fail(c, "handshake", b, n);
                return;
            }
            s += 7;
            char *e = memchr(s, '"', b + n - s);
            memcpy(c->sid, s, e - s);
            c->sid[e - s] = 0;
            if (proto == EIO3) {
                c->state = P_CONNGET;
                if (memmem(b, n, "2:40", 4)) {
                    c->state = P_RUN;
                    nready++;
                }
                poll_get(c);
                return;
            }
            c->state = P_CONNPOST;
            poll_post(c, "40");
            return;
        }
        case P_CONNGET:
        case P_RUN:
            poll_body(c, b, n);
            poll_get(c);
            poll_maybe_next(c);
            return;
    }
}
static void hs09_done(conn *c, char *b, size_t n) {
    char *e = memchr(b, ':', n);
    size_t l = e ? (size_t)(e - b) : 0;
    if (!l || l > 79) {
        fail(c, "handshake", b, n);
        return;
    }
    memcpy(c->sid, b, l);
    c->sid[l] = 0;
    close(c->fd);
    c->state = S_CONNECTING;
    do_connect(c);
}

/* ---------- I/O ---------- */
static void on_connected(conn *c) {
    mod(c, 0);
    if (work == W_POLL) {
        if (c->polling_post) return;
        c->state = P_HS;
        if (proto == SIO09)
            req(c, "GET", "/socket.io/1/?t=1", "", 0);
        else
            req(c, "GET", proto == EIO3 ? "/socket.io/?EIO=3&transport=polling" : "/socket.io/?EIO=4&transport=polling",
                "", 0);
        return;
    }
    char p[256];
    if (proto == SIO09 && !c->sid[0]) {
        c->state = S_HS09;
        req(c, "GET", "/socket.io/1/?t=1", "", 0);
        return;
    }
    if (proto == SIO09)
        snprintf(p, sizeof p, "/socket.io/1/websocket/%s", c->sid);
    else
        snprintf(p, sizeof p, "/socket.io/?EIO=%d&transport=websocket", proto == EIO3 ? 3 : 4);
    c->state = S_UPGRADE;
    req(c, "GET", p, WSH, 0);
}
static void on_readable(conn *c) {
    size_t have = c->leftlen;
    if (have) memcpy(rbuf, c->left, have);
    ssize_t r = recv(c->fd, rbuf + have, sizeof rbuf - have - 1, 0);
    if (r < 0) {
        if (errno == EAGAIN) return;
        r = 0;
    }
    if (r == 0) {
        fail(c, "closed by server", "", 0);
        close(c->fd);
        c->fd = -1;
        if (work == W_POLL) {
            if (c->polling_post) c->busy = 0;
            do_connect(c);
        }
        return;
    }
    size_t n = have + r, i = 0;
    rbuf[n] = 0;
    acks_now = 0;
    while (i < n) {
        if (c->state == S_UPGRADE || c->state == S_HS09 || work == W_POLL) {
            int st = 0;
            unsigned char *bp = 0;
            size_t bn = 0;
            long u = http_resp(rbuf + i, n - i, &st, &bp, &bn);
            if (u == 0) break;
            i += u;
            if (work == W_POLL) {
                on_http(c, st, (char *)bp, bn);
                continue;
            }
            if (c->state == S_HS09) {
                if (st != 200) {
                    fail(c, "handshake status", bp, bn);
                    return;
                }
                hs09_done(c, (char *)bp, bn);
                return;
            }
            if (st != 101) {
                fail(c, "no upgrade", rbuf, n);
                return;
            }
            c->state = proto == SIO09 ? S_SIOCONN : S_OPEN;
            continue;
        }
        if (n - i < 2) break;
        unsigned char *f = rbuf + i;
        size_t l = f[1] & 127, h = 2;
        if (l == 126) {
            if (n - i < 4) break;
            l = f[2] << 8 | f[3];
            h = 4;
        } else if (l == 127) {
            if (n - i < 10) break;
            l = 0;
            for (int k = 2; k < 10; k++) l = l << 8 | f[k];
            h = 10;
        }
        if (n - i < h + l) break;
        int op = f[0] & 15;
        i += h + l;
        if (op == 1) {
            unsigned char sv = f[h + l];
            f[h + l] = 0;
            on_msg(c, (char *)f + h, l);
            f[h + l] = sv;
        } else if (op == 8)
            fail(c, "close frame", f + h, l);
        else if (op == 9) {
            unsigned char pong[6] = {0x8a, 0x80, 0, 0, 0, 0};
            xsend(c, pong, 6);
        }
    }
    if (n > i) {
        c->left = realloc(c->left, n - i);
        memcpy(c->left, rbuf + i, n - i);
    }
    c->leftlen = n - i;
    if (acks_now && work == W_ACK && c->state == S_READY) send_acks(c, acks_now);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    allow_many_files();
    double settle = 1.0;
    for (int i = 1; i + 1 < argc; i += 2) {
        char *a = argv[i], *v = argv[i + 1];
        if (!strcmp(a, "--port"))
            port = atoi(v);
        else if (!strcmp(a, "--conns"))
            nconn = atoi(v);
        else if (!strcmp(a, "--idle"))
            nidle = atoi(v);
        else if (!strcmp(a, "--outstanding"))
            K = atoi(v);
        else if (!strcmp(a, "--warmup"))
            warm = atof(v);
        else if (!strcmp(a, "--secs"))
            secs = atof(v);
        else if (!strcmp(a, "--server-pid"))
            spid = atoi(v);
        else if (!strcmp(a, "--ramp"))
            rampmax = atoi(v);
        else if (!strcmp(a, "--window"))
            window = atoi(v);
        else if (!strcmp(a, "--settle"))
            settle = atof(v);
        else if (!strcmp(a, "--proto"))
            proto = !strcmp(v, "eio4") ? EIO4 : !strcmp(v, "eio3") ? EIO3 : SIO09;
        else if (!strcmp(a, "--workload"))
            work = !strcmp(v, "ack")       ? W_ACK
                   : !strcmp(v, "amplify") ? W_AMPLIFY
                   : !strcmp(v, "fanout")  ? W_FANOUT
                   : !strcmp(v, "connect") ? W_CONNECT
                                           : W_POLL;
        else {
            fprintf(stderr, "unknown option %s\n", a);
            return 2;
        }
    }
    addr.sin_family = AF_INET;
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (work == W_FANOUT) {
        subs = nconn;
        nconn++;
    }
    nconn += nidle;
    int total = work == W_POLL ? nconn * 2 : nconn;
    cs = calloc(total, sizeof *cs);
    ep = poller_open();
    long rss0 = spid ? process_memory(spid) : 0;
    double ccpu0 = spid ? process_cpu(spid) : 0, lcpu0 = self_cpu();
    for (int i = 0; i < total; i++) {
        cs[i].idx = i;
    }
    uint64_t t0 = now_ns(), tready = 0, tstart = 0, tend = 0, c0 = 0;
    double cpu0 = 0, me0 = 0;
    if (work == W_POLL)
        for (int i = 0; i < nconn; i++) {
            conn *g = &cs[i], *p = &cs[nconn + i];
            g->peer = p;
            p->peer = g;
            p->polling_post = 1;
            g->state = p->state = S_CONNECTING;
            do_connect(p);
            do_connect(g);
        }
    else
        start_next();
    Ready ev[MAX_READY];
    for (;;) {
        int n = poller_wait(ep, ev, 20);
        for (int i = 0; i < n; i++) {
            conn *c = ev[i].who;
            if (c->fd < 0) continue;
            if (ev[i].writable && (c->state == S_CONNECTING)) {
                int e = 0;
                socklen_t l = sizeof e;
                getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
                if (e) {
                    errno = e;
                    die("connect failed");
                }
                if (c->polling_post) c->state = P_RUN;
                on_connected(c);
            } else if (ev[i].writable)
                flush_out(c);
            if (c->fd >= 0 && ev[i].readable) on_readable(c);
        }
        uint64_t t = now_ns();
        if (!tready) {
            if (nready >= nconn) {
                tready = t;
                if (work == W_CONNECT) break;
                run_started = 1;
                if (work == W_POLL)
                    for (int i = 0; i < nconn; i++) poll_maybe_next(&cs[i]);
                else
                    kick();
            } else if (t - t0 > 60e9) {
                fprintf(stderr, "loadgen: only %d of %d ready after 60 s\n", nready, nconn);
                printf("{\"error\":\"only %d of %d ready\"}\n", nready, nconn);
                return 4;
            }
        } else if (!tstart) {
            if (t - tready >= warm * 1e9) {
                tstart = t;
                c0 = count;
                cpu0 = spid ? process_cpu(spid) : 0;
                me0 = self_cpu();
                histon = 1;
            }
        } else if (t - tstart >= secs * 1e9) {
            tend = t;
            break;
        }
    }
    if (work == W_CONNECT) {
        double dt = (tready - t0) / 1e9, sc = spid ? process_cpu(spid) - ccpu0 : 0, mc = self_cpu() - lcpu0;
        uint64_t until = now_ns() + settle * 1e9; /* idle a while, still answering pings */
        while (now_ns() < until) {
            int n = poller_wait(ep, ev, 20);
            for (int i = 0; i < n; i++) {
                conn *c = ev[i].who;
                if (c->fd >= 0 && ev[i].readable) on_readable(c);
            }
        }
        long rss1 = spid ? process_memory(spid) : 0;
        printf(
            "{\"conns\":%d,\"rate\":%.1f,\"seconds\":%.3f,\"rss0_kib\":%ld,\"rss1_kib\":%ld,\"kib_per_conn\":%.2f,"
            "\"server_cpu\":%.3f,\"client_cpu\":%.3f,\"errors\":%lu}\n",
            nconn, nconn / dt, dt, rss0, rss1, (double)(rss1 - rss0) / nconn, sc / dt, mc / dt, (unsigned long)errors);
        return 0;
    }
    long rss1 = spid ? process_memory(spid) : 0;
    double dt = (tend - tstart) / 1e9, sc = spid ? (process_cpu(spid) - cpu0) / dt : 0, mc = (self_cpu() - me0) / dt;
    printf(
        "{\"conns\":%d,\"rate\":%.1f,\"seconds\":%.3f,\"server_cpu\":%.3f,\"client_cpu\":%.3f,\"p50_ms\":%.2f,\"p99_"
        "ms\":%.2f,\"rss0_kib\":%ld,\"rss1_kib\":%ld,\"verified\":%lu,\"errors\":%lu}\n",
        nconn, (count - c0) / dt, dt, sc, mc, pct(.5), pct(.99), rss0, rss1, (unsigned long)verified,
        (unsigned long)errors);
    return errors ? 1 : 0;
}
