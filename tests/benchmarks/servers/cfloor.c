/* The limit: a C server that answers the workloads (Engine.IO 4, websocket alone) with copies of strings where a server
 * has JSON, namespaces and bounds.
 *
 *   cc -O2 -o cfloor cfloor.c && ./cfloor PORT
 */
#include "../portable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

typedef struct c {
    int fd, up, outn, sub;
    unsigned char *left;
    int leftn;
    char out[8192];
} C;
static C *cs[70000], *subs[70000];
static int nsub, ep;
static unsigned char rb[1 << 17];
/* SHA-1 is skipped: the rig's client does not check the accept key. */
static void flushc(C *c) {
    int n = c->outn, o = 0;
    while (o < n) {
        ssize_t r = send(c->fd, c->out + o, n - o, MSG_NOSIGNAL);
        if (r <= 0) {
            if (errno == EAGAIN) {
                usleep(50);
                continue;
            }
            break;
        }
        o += r;
    }
    c->outn = 0;
}
static void put(C *c, const char *p, int n) {
    if (c->outn + n + 4 > (int)sizeof c->out) flushc(c);
    char *o = c->out + c->outn;
    *o++ = 0x81;
    if (n < 126)
        *o++ = n;
    else {
        *o++ = 126;
        *o++ = n >> 8;
        *o++ = n;
    }
    memcpy(o, p, n);
    c->outn = o + n - c->out;
}
static void drop(C *c) {
    for (int i = 0; i < nsub; i++)
        if (subs[i] == c) {
            subs[i] = subs[--nsub];
            break;
        }
    cs[c->fd] = 0;
    close(c->fd);
    free(c->left);
    free(c);
}
static int bdirty;
static void msg(C *c, char *m, int n) {
    if (m[0] != '4') return;
    if (m[1] == '0') {
        put(c, "40{\"sid\":\"abcdefghijklmnopqrst\"}", 32);
        return;
    }
    char *b = memchr(m, '[', n);
    if (!b) return;
    char *comma = memchr(b, ',', m + n - b);
    int rest = m + n - comma - 1;
    char t[512];
    if (b[2] != 'f' && (b[3] == 'i' || b[3] == 'o')) {
        if (b[2] == 'p' || b[2] == 'j') {
            int k = b - m;
            memcpy(t, m, k);
            t[1] = '3';
            t[k++] = '[';
            memcpy(t + k, comma + 1, rest);
            put(c, t, k + rest);
            if (b[2] == 'j' && !c->sub) {
                c->sub = 1;
                subs[nsub++] = c;
            }
        }
        return;
    }
    if (b[2] == 'f')
        for (int i = 0; i < 10; i++) {
            memcpy(t, "42[\"pong\",{\"type\":\"pong\",\"n\":0}]", 32);
            t[29] = '0' + i;
            put(c, t, 32);
        }
    if (b[2] == 'p') {
        memcpy(t, "42[\"news\",", 10);
        memcpy(t + 10, comma + 1, rest);
        for (int i = 0; i < nsub; i++) put(subs[i], t, 10 + rest);
        bdirty = 1;
    }
}
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    allow_many_files();
    int one = 1, ls = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(ls, (void *)&a, sizeof a) || listen(ls, 4096)) {
        perror("bind");
        return 1;
    }
    ep = poller_open();
    Ready ev[MAX_READY];
    poller_watch(ep, ls, 0, 0);
    for (;;) {
        int n = poller_wait(ep, ev, -1);
        for (int i = 0; i < n; i++) {
            C *c = ev[i].who;
            if (!c) {
                int fd = accept(ls, 0, 0);
                if (fd < 0) continue;
                unblock(fd);
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                c = calloc(1, sizeof *c);
                c->fd = fd;
                cs[fd] = c;
                poller_watch(ep, fd, c, 0);
                continue;
            }
            memcpy(rb, c->left, c->leftn);
            ssize_t r = recv(c->fd, rb + c->leftn, sizeof rb - c->leftn, 0);
            if (r <= 0) {
                if (r < 0 && errno == EAGAIN) continue;
                drop(c);
                continue;
            }
            int t = c->leftn + r, o = 0;
            if (!c->up) {
                c->up = 1;
                const char *h =
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                    "Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
                send(c->fd, h, strlen(h), 0);
                char s[] =
                    "0{\"sid\":\"abcdefghijklmnopqrst\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,"
                    "\"maxPayload\":1000000}";
                put(c, s, strlen(s));
                flushc(c);
                continue;
            }
            while (t - o >= 6) {
                unsigned char *f = rb + o;
                int l = f[1] & 127, h = 2;
                if (l == 126) {
                    l = f[2] << 8 | f[3];
                    h = 4;
                }
                if (t - o < h + 4 + l) break;
                unsigned char *m = f + h, *p = m + 4;
                for (int k = 0; k < l; k++) p[k] ^= m[k & 3];
                o += h + 4 + l;
                if ((f[0] & 15) == 8) {
                    drop(c);
                    c = 0;
                    break;
                }
                msg(c, (char *)p, l);
            }
            if (!c) continue;
            if (t > o) {
                c->left = realloc(c->left, t - o);
                memcpy(c->left, rb + o, t - o);
            }
            c->leftn = t - o;
            flushc(c);
            if (bdirty) {
                for (int k = 0; k < nsub; k++)
                    if (subs[k]->outn) flushc(subs[k]);
                bdirty = 0;
            }
        }
    }
}
