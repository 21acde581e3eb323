package deadletter_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/test/standin"
)

// near is a stand-in cluster without a network, for the clock of a test.
type near struct{ *standin.Cluster }

func (n near) Perform(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	n.ServeHTTP(rec, req)
	return rec.Result(), nil
}

func (n near) CreateIndex(context.Context, string) error { return nil }

// Letters come one behind the other while the place is away.
func TestPlaces_patience(t *testing.T) {
	type bury struct {
		at      time.Duration // since the beginning
		wantOK  bool
		longest time.Duration
	}
	const second = time.Second
	tests := []struct {
		name     string
		patience time.Duration
		away     time.Duration // from the beginning on
		letters  []bury
	}{
		{"a place that works", 30 * second, 0, []bury{{0, true, 0}}},
		{"away for a moment", 30 * second, 12 * second, []bury{{0, true, 20 * second}, {40 * second, true, 0}}},
		{"without patience", 0, 12 * second, []bury{{0, false, 3 * second}}},
		{
			"away for long: only the first letters wait", 30 * second, time.Minute,
			[]bury{{0, false, 38 * second}, {40 * second, false, 3 * second}, {45 * second, false, 3 * second}, {time.Minute, true, 0}},
		},
		{
			"a fault of long ago does not count", 30 * second, 20*time.Minute + 10*second,
			[]bury{{0, false, 38 * second}, {20 * time.Minute, true, 20 * second}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				cluster := &standin.Cluster{Fault: func(*http.Request) *standin.ClusterFault {
					if time.Since(began) < tt.away {
						return &standin.ClusterFault{Status: http.StatusServiceUnavailable}
					}
					return nil
				}}
				p, err := deadletter.New(deadletter.Config{Index: "dead"}, deadletter.Options{
					Cluster: near{cluster}, Log: zaptest.NewLogger(t), Patience: tt.patience,
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range tt.letters {
					time.Sleep(b.at - time.Since(began))
					from := time.Now()
					err := p.Bury(t.Context(), []pipeline.Letter{letter("a", `{}`)})
					if took := time.Since(from); (err == nil) != b.wantOK || took > b.longest {
						t.Errorf("at %s: got error %v after %s, want none: %t, within %s", b.at, err, took, b.wantOK, b.longest)
					}
					if ready := p.Ready(); (ready == nil) != b.wantOK {
						t.Errorf("at %s: Ready says %v, want nil: %t", b.at, ready, b.wantOK)
					}
				}
			})
		})
	}
}

// moody is a cluster that answers as the letter says: "refused" never gets in, "hang" gets no answer.
type moody struct{ near }

func (m moody) Perform(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	switch {
	case err != nil:
		return nil, err
	case bytes.Contains(body, []byte("refused")):
		return &http.Response{StatusCode: 413, Status: "413 Request Entity Too Large", Body: http.NoBody}, nil
	case bytes.Contains(body, []byte("hang")):
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return m.near.Perform(req)
}

// Letters that no place ever takes give up, whatever becomes of others meanwhile, and so do those that get no answer.
func TestPlaces_patienceOfOne(t *testing.T) {
	for _, id := range []string{"refused", "hang"} {
		t.Run(id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, err := deadletter.New(deadletter.Config{Index: "dead"}, deadletter.Options{
					Cluster: moody{near{&standin.Cluster{}}}, Log: zaptest.NewLogger(t), Patience: 30 * time.Second,
				})
				if err != nil {
					t.Fatal(err)
				}
				ended := make(chan struct{})
				go func() {
					for {
						if err := p.Bury(context.WithoutCancel(t.Context()), []pipeline.Letter{letter("good", `{}`)}); err != nil {
							t.Error(err)
						}
						select {
						case <-ended:
							return
						case <-time.After(10 * time.Second):
						}
					}
				}()
				from := time.Now()
				err = p.Bury(t.Context(), []pipeline.Letter{letter(id, `{}`)})
				if took := time.Since(from); err == nil || took > 40*time.Second {
					t.Errorf("got error %v after %s, want one within 40s", err, took)
				}
				close(ended)
			})
		})
	}
}

// The end of the context ends the wait, and the error still says why the letters were not taken.
func TestPlaces_patienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := &standin.Cluster{Fault: func(*http.Request) *standin.ClusterFault {
			return &standin.ClusterFault{Status: http.StatusForbidden}
		}}
		p, err := deadletter.New(deadletter.Config{Index: "dead"}, deadletter.Options{
			Cluster: near{cluster}, Log: zaptest.NewLogger(t), Patience: time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		from := time.Now()
		err = p.Bury(ctx, []pipeline.Letter{letter("a", `{}`)})
		want := "index dead: the cluster answers 403 Forbidden"
		if took := time.Since(from); err == nil || err.Error() != want || took > 10*time.Second {
			t.Errorf("got %v after %s, want %q within 10s", err, took, want)
		}
	})
}
