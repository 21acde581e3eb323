package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	constantWarm = time.Second / 2 // left out,
	constantFor  = 3 * time.Second // before so long is measured
)

// constant is what a cluster does with a fixed number of requests in flight.
type constant struct {
	requests int
	rate     float64 // a second
}

// bestConstant sends the same request again and again to a cluster that works on so many at once, with various fixed
// numbers in flight, and returns the best of them. Nothing stands between an answer and the next request, so that no
// daemon with a fixed number could do better.
func bestConstant(ctx context.Context, s setting, knee int, body []byte) (best constant, err error) {
	sc := s.scene(1, 1)
	sc.Knees, sc.KneeFor = []int{knee}, time.Hour
	st, err := emptyStage(ctx, sc)
	if err != nil {
		return best, err
	}
	defer st.close()
	for _, n := range []int{knee, knee + 1, knee + (knee+3)/4, knee + (knee+1)/2} {
		rate, err := st.constant(ctx, n, body)
		if err != nil {
			return best, err
		}
		if rate > best.rate {
			best = constant{n, rate}
		}
	}
	return best, nil
}

// constant keeps n requests in flight and returns how many are answered in a second.
func (st *stage) constant(ctx context.Context, n int, body []byte) (float64, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	defer client.CloseIdleConnections()
	var answered atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	failed := make(chan error, n)
	for range n {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := st.send(ctx, client, body); err != nil && ctx.Err() == nil {
					failed <- err
					return
				}
				answered.Add(1)
			}
		})
	}
	if err := pause(ctx, constantWarm); err != nil {
		return 0, err
	}
	before, start := answered.Load(), time.Now()
	if err := pause(ctx, constantFor); err != nil {
		return 0, err
	}
	rate := float64(answered.Load()-before) / time.Since(start).Seconds()
	select {
	case err := <-failed:
		return 0, err
	default:
		return rate, nil
	}
}

// send sends a bulk request as the daemon sent it.
func (st *stage) send(ctx context.Context, client *http.Client, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, st.address+"/cluster/_bulk", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err = io.Copy(io.Discard, res.Body); err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("sending a bulk request: %s", res.Status)
	}
	return err
}

// get asks the stand-in for something.
func (st *stage) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, st.address+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}
