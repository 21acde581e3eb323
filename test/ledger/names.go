package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
)

// byName makes names of the addresses, which only the stand-in's own DNS server knows.
func (w *world) byName(ctx context.Context, at places) (places, error) {
	server, err := w.listenDNS(ctx)
	if err != nil {
		return at, err
	}
	at.Names = server
	for _, address := range []*string{&at.AWS, &at.Cluster} {
		u, err := url.Parse(*address)
		if err != nil {
			return at, err
		}
		*address = "http://stand-in.ledger.test:" + u.Port()
	}
	return at, nil
}

// listenDNS serves names at port 53 of a loopback address that nobody else uses; only root may.
func (w *world) listenDNS(ctx context.Context) (string, error) {
	ip := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254)) //nolint:gosec // an address is no secret
	c, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", ip+":53")
	if err != nil {
		return "", err
	}
	go func() {
		question := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(question)
			if err != nil {
				return // with the process
			}
			if answer := w.resolve(question[:n]); answer != nil {
				_, _ = c.WriteTo(answer, from)
			}
		}
	}()
	return ip, nil
}

// resolve answers that any name is 127.0.0.1 and has no IPv6 address; while DNS fails, that the server cannot tell, or
// nothing. Source: RFC 1035, section 4.1.
func (w *world) resolve(question []byte) []byte {
	const header, typeA = 12, 1
	end := header
	for end < len(question) && question[end] != 0 {
		end += 1 + int(question[end])
	}
	end += 5 // the root label, type and class
	if len(question) < end {
		return nil
	}
	answer := append([]byte(nil), question[:end]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8180) // an answer, with recursion
	binary.BigEndian.PutUint16(answer[6:], 0)
	binary.BigEndian.PutUint32(answer[8:], 0)
	if w.strike(kindNames, nil) != nil {
		answer[3] |= 2 // the server failed
		if w.roll(1.0 / 2) {
			return nil
		}
		return answer
	}
	if binary.BigEndian.Uint16(question[end-4:]) == typeA {
		answer[7] = 1
		answer = append(answer, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return answer
}
