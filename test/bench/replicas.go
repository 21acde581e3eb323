package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	replicaCount = 3
	killEvery    = 20 * time.Second
	replicaOffer = 10_000 // records a second, for all of them
	replicaTime  = 65 * time.Second
)

// replica is one of several daemons on the same queue.
type replica struct {
	*process
	listen  string
	indexed int // by the processes that were killed, as last seen
	now     int // by the one that runs
	kills   int
}

// replicas runs three daemons on one queue and kills one of them every 20 seconds. What it had in hand comes again when the
// visibility timeout has passed, and meets its own documents.
func replicas(ctx context.Context, s setting) ([]figure, error) {
	sc := s.scene(replicaOffer*int(replicaTime.Seconds()), 53)
	sc.Offer, sc.Untimed = replicaOffer, true
	s.visibility = "20s"
	st, err := emptyStage(ctx, sc)
	if err != nil {
		return nil, err
	}
	defer st.close()
	all := make([]*replica, replicaCount)
	for i := range all {
		if all[i], err = st.replica(ctx, s, i); err != nil {
			return nil, err
		}
		defer all[i].kill()
	}
	start := time.Now()
	last, err := st.killInTurn(ctx, s, all, sc.Objects)
	if err != nil {
		return nil, err
	}
	return replicaFigures(all, last, sc.Objects*sc.PerObject, time.Since(start)), nil
}

// replica starts the i-th of them.
func (st *stage) replica(ctx context.Context, s setting, i int) (r *replica, err error) {
	r = &replica{}
	if r.listen, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	r.process, err = st.start(ctx, s, "replica"+strconv.Itoa(i), r.listen)
	return r, err
}

// freeAddress is an address on which nobody listens.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (r *replica) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // its error is the kill
}

// killInTurn kills one replica after another and starts it again, until every message is deleted.
func (st *stage) killInTurn(ctx context.Context, s setting, all []*replica, objects int) (last tally, err error) {
	next := time.Now().Add(killEvery)
	deadline := time.Now().Add(5 * time.Minute)
	for turn := 0; ; {
		for _, r := range all {
			r.look(ctx)
		}
		if last, err = st.tally(ctx); err != nil || last.Deleted >= objects {
			return last, err
		}
		switch now := time.Now(); {
		case now.After(deadline):
			return last, fmt.Errorf("%d of %d messages are deleted after 5 minutes", last.Deleted, objects)
		case now.After(next):
			i := turn % len(all)
			r := all[i]
			turn++
			next = now.Add(killEvery)
			r.kill()
			r.indexed, r.now, r.kills = r.indexed+r.now, 0, r.kills+1
			if r.process, err = st.start(ctx, s, "replica"+strconv.Itoa(i), r.listen); err != nil {
				return last, err
			}
		}
		if err = pause(ctx, time.Second/2); err != nil {
			return last, err
		}
	}
}

// look asks the replica how many records it has stored. One that is just starting does not answer.
func (r *replica) look(ctx context.Context) {
	if status, err := statusOf(ctx, r.listen); err == nil {
		r.now = status.Records.Indexed
	}
}

// status is a part of what a daemon's status page says.
type status struct {
	Records struct {
		Indexed int `json:"indexed"`
	} `json:"records"`
	Parts struct {
		Sink struct {
			Figures map[string]float64 `json:"figures"`
		} `json:"sink"`
	} `json:"parts"`
}

func statusOf(ctx context.Context, listen string) (s status, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/status", http.NoBody)
	if err != nil {
		return s, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	return s, json.NewDecoder(res.Body).Decode(&s)
}

func replicaFigures(all []*replica, last tally, records int, took time.Duration) []figure {
	name := fmt.Sprintf("%d replicas, one killed every %s: ", len(all), killEvery)
	kills := 0
	var figures []figure
	for i, r := range all {
		kills += r.kills
		figures = append(figures, figure{
			fmt.Sprintf("%sreplica %d", name, i+1),
			fmt.Sprintf("%.0f records/s, killed %d times", float64(r.indexed+r.now)/took.Seconds(), r.kills), "", true,
		})
	}
	return append(figures,
		figure{name + "all", fmt.Sprintf("%.0f records/s of %d offered, %d kills", float64(last.Stored)/took.Seconds(), replicaOffer, kills), "", true},
		figure{name + "messages delivered again", strconv.Itoa(last.Redelivered), "", true},
		figure{name + "documents that met themselves", strconv.Itoa(last.Duplicates), "", true},
		figure{name + "lost", strconv.Itoa(max(0, records-last.Stored)), "0", last.Stored >= records},
		figure{name + "doubled", strconv.Itoa(max(0, last.Stored-records)), "0", last.Stored <= records},
	)
}
