package enrich

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// What depends on time, with a clock that the tests turn, and therefore without a network: IAM is a map. What AWS's own
// protocol has to say is tested in tags_test.go.

const home = "111122223333"

// people is IAM.
type people struct {
	mu      sync.Mutex
	tags    map[string]string // the tag team, by name of the user or role
	took    time.Duration     // by each call
	refuses func(principal) error
	pages   int // of the list; 0: it may not be read
	calls   []time.Time
	asked   map[string]int // lookups, by name
}

func newPeople(n int) *people {
	p := &people{tags: map[string]string{}, asked: map[string]int{}}
	for i := range n {
		p.tags["u"+strconv.Itoa(i)] = "t" + strconv.Itoa(i)
	}
	return p
}

func (p *people) put(name, team string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tags[name] = team
}

func (p *people) remove(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tags, name)
}

// lookups are the calls for one name, or all for "".
func (p *people) lookups(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name == "" {
		return len(p.calls)
	}
	return p.asked[name]
}

func (p *people) lookup(ctx context.Context, who principal) (answer, error) {
	p.mu.Lock()
	p.calls = append(p.calls, time.Now())
	p.asked[who.name]++
	refuses, took := p.refuses, p.took
	p.mu.Unlock()
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	if refuses != nil {
		if err := refuses(who); err != nil {
			return answer{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	team, ok := p.tags[who.name]
	if !ok {
		return answer{}, nil
	}
	return answer{Path: "/", Tags: map[string]string{"team": team}}, nil
}

func (p *people) all(ctx context.Context, account, _ string, turn func(context.Context) error, keep func(principal, answer) bool) error {
	if p.pages == 0 {
		return refusal("AccessDenied")
	}
	for page := range p.pages {
		if err := turn(ctx); err != nil {
			return err
		}
		p.mu.Lock()
		p.calls = append(p.calls, time.Now())
		p.mu.Unlock()
		time.Sleep(p.took)
		for i := range len(p.tags) {
			if name := "u" + strconv.Itoa(i); i%p.pages == page {
				keep(principal{kind: user, account: account, name: name}, answer{Path: "/", Tags: map[string]string{"team": p.tags[name]}})
			}
		}
	}
	return nil
}

func (*people) own() string           { return home }
func (*people) reaches(a []byte) bool { return string(a) == home }

func refusal(code string) error {
	return &smithy.OperationError{ServiceID: "IAM", OperationName: "X", Err: &smithy.GenericAPIError{Code: code}}
}

// bench is a tagger at work on people.
type bench struct {
	*tagger
	logs *observer.ObservedLogs
}

// start starts a tagger that ends with the bubble's test.
func start(t *testing.T, p *people, change func(*Config)) *bench {
	t.Helper()
	c := Default()
	if change != nil {
		change(&c)
	}
	core, logs := observer.New(zap.InfoLevel)
	b := &bench{newTagger(c, p, newLimiter(), newMetrics(prometheus.NewRegistry()), zap.New(core)), logs}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { b.run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return b
}

// team is the tag of a user's document: "" for none, Unavailable when IAM did not answer in time.
func (b *bench) team(t *testing.T, name string) string {
	t.Helper()
	return b.enriched(t, `{"userIdentity":{"type":"IAMUser","accountId":"`+home+`","userName":"`+name+`"}}`)
}

func (b *bench) roleTeam(t *testing.T, name string) string {
	t.Helper()
	return b.enriched(t, `{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::`+home+`:assumed-role/`+name+`/s"}}`)
}

func (b *bench) enriched(t *testing.T, text string) string {
	t.Helper()
	var r cloudtrail.Record
	if err := r.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var f ecs.Fragments
	var who identity
	who.read(r.Field(cloudtrail.UserIdentity))
	b.enrich(t.Context(), &r, &who, &f)
	if len(f.Tags) > 0 {
		return Unavailable
	}
	_, rest, _ := strings.Cut(string(f.IAM), `"team":"`)
	team, _, _ := strings.Cut(rest, `"`)
	return team
}

// said is how many log lines hold text.
func (b *bench) said(text string) int { return b.logs.FilterMessageSnippet(text).Len() }

func wants(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// After its time an answer serves on, and is asked for anew behind it.
func TestTagger_ttl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(1)
		b := start(t, p, func(c *Config) { c.IAMTags.TTL, c.IAMTags.NegativeTTL = time.Hour, 10*time.Minute })
		wants(t, "first", b.team(t, "u0"), "t0")
		wants(t, "a stranger", b.team(t, "later"), "")
		p.put("u0", "new")
		p.put("later", "here")
		p.took = time.Second

		time.Sleep(9 * time.Minute)
		wants(t, "a stranger before its time", b.team(t, "later"), "")
		time.Sleep(2 * time.Minute)
		began := time.Now()
		wants(t, "a stranger after its time", b.team(t, "later"), "")
		if took := time.Since(began); took > 0 {
			t.Errorf("an old answer took %s", took)
		}
		time.Sleep(3 * time.Second)
		wants(t, "a stranger asked for anew", b.team(t, "later"), "here")

		wants(t, "before its time", b.team(t, "u0"), "t0")
		time.Sleep(50 * time.Minute)
		began = time.Now()
		for range 10 {
			wants(t, "after its time", b.team(t, "u0"), "t0")
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("old answers took %s", took)
		}
		time.Sleep(3 * time.Second)
		wants(t, "asked for anew", b.team(t, "u0"), "new")
		if n := p.lookups("u0"); n != 2 {
			t.Errorf("got %d lookups, want 2", n)
		}
	})
}

// An answer that is old when IAM fails serves on for as long as it takes.
func TestTagger_staleInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(1)
		b := start(t, p, nil)
		wants(t, "first", b.team(t, "u0"), "t0")
		p.refuses = func(principal) error { return refusal("ServiceFailure") }
		for range 48 {
			time.Sleep(time.Hour)
			wants(t, "in the outage", b.team(t, "u0"), "t0")
		}
	})
}

// Whoever asks for the same principal at once waits for the same answer.
func TestTagger_singleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(1)
		p.took = time.Second
		b := start(t, p, nil)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { wants(t, "one of 50", b.team(t, "u0"), "t0") })
		}
		all.Wait()
		if n := p.lookups("u0"); n != 1 {
			t.Errorf("got %d lookups, want 1", n)
		}
	})
}

func TestTagger_bound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 20
		p := newPeople(200)
		p.pages = 1
		b := start(t, p, func(c *Config) { c.IAMTags.Principals = most })
		time.Sleep(time.Second)
		for i := range 200 {
			wants(t, "one of 200", b.team(t, "u"+strconv.Itoa(i)), "t"+strconv.Itoa(i))
		}
		b.cache.CleanUp()
		if n := b.cache.EstimatedSize(); n > most {
			t.Errorf("got %d principals in memory, want at most %d", n, most)
		}
	})
}

// 100,000 records of 500 principals, in 16 deliveries at once: how often IAM is asked, with the right to list and without.
func TestTagger_calls(t *testing.T) {
	const principals, records, deliveries = 500, 100_000, 16
	for pages, most := range map[int]int{0: 600, 5: 10} {
		t.Run(fmt.Sprintf("%d pages", pages), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeople(principals)
				p.pages, p.took = pages, 30*time.Millisecond
				b := start(t, p, nil)
				began := time.Now()
				var all sync.WaitGroup
				var untagged atomic.Int64
				for d := range deliveries {
					all.Go(func() {
						for i := range records / deliveries {
							if b.team(t, "u"+strconv.Itoa((i*deliveries+d)%principals)) == Unavailable {
								untagged.Add(1)
							}
						}
					})
				}
				all.Wait()
				took := time.Since(began)
				time.Sleep(5 * time.Minute) // what nobody waited for is asked too
				for i := range principals {
					name := "u" + strconv.Itoa(i)
					wants(t, name, b.team(t, name), "t"+strconv.Itoa(i))
				}
				if n := p.lookups(""); n > most {
					t.Errorf("got %d calls, want at most %d", n, most)
				}
				for i := 5; i < len(p.calls); i++ {
					if gap := p.calls[i].Sub(p.calls[i-5]); gap < time.Second {
						t.Fatalf("got six calls within %s", gap)
					}
				}
				t.Logf("%d calls; the records took %s, %d of them went untagged", p.lookups(""), took, untagged.Load())
			})
		})
	}
}

// An event waits for enrich.wait at most, others meanwhile do not; once IAM is known to be slow, nobody waits.
func TestTagger_wait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(2)
		b := start(t, p, func(c *Config) { c.Wait = 2 * time.Second })
		wants(t, "a warm one", b.team(t, "u0"), "t0")
		p.took = 5 * time.Second
		began := time.Now()
		var all sync.WaitGroup
		all.Go(func() {
			wants(t, "a cold one", b.team(t, "u1"), Unavailable)
			if took := time.Since(began); took != 2*time.Second {
				t.Errorf("a cold one took %s, want 2s", took)
			}
		})
		time.Sleep(time.Second)
		wants(t, "a warm one meanwhile", b.team(t, "u0"), "t0")
		if took := time.Since(began); took != time.Second {
			t.Errorf("a warm one took %s", took-time.Second)
		}
		all.Wait()
		wants(t, "another cold one", b.team(t, "other"), Unavailable)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("another cold one waited for %s although IAM is slow", took-2*time.Second)
		}
		time.Sleep(5 * time.Second)
		wants(t, "when the answer came", b.team(t, "u1"), "t1")
	})
}

// A short outage with many questions on their way is over soon after.
func TestTagger_recovers(t *testing.T) {
	for name, err := range map[string]error{
		"throttling": refusal("Throttling"), "outage": errors.New("connection refused"), "a cut answer": io.ErrUnexpectedEOF,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeople(100)
				p.refuses = func(principal) error { return err }
				b := start(t, p, nil)
				began := time.Now()
				var all sync.WaitGroup
				for i := range 100 {
					all.Go(func() { wants(t, "in the outage", b.team(t, "u"+strconv.Itoa(i)), Unavailable) })
				}
				all.Wait()
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("100 events took %s", took)
				}
				if n := p.lookups(""); n > 4 {
					t.Errorf("got %d calls in a moment's outage, want those that were under way", n)
				}
				p.mu.Lock()
				p.refuses = nil
				p.mu.Unlock()
				time.Sleep(3 * time.Second)
				wants(t, "three seconds later", b.team(t, "u0"), "t0")
				if n := b.said("iam cannot be asked"); n != 1 {
					t.Errorf("it was said %d times, want once", n)
				}
			})
		})
	}
}

// Users and roles take rights of their own: one that is missing is said once, and the others are asked on.
func TestTagger_oneRightMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(3)
		p.put("Deploy", "build")
		p.refuses = func(who principal) error {
			if who.kind == role {
				return refusal("AccessDenied")
			}
			return nil
		}
		b := start(t, p, nil)
		for i := range 200 {
			name := "u" + strconv.Itoa(i%3)
			wants(t, "a user", b.team(t, name), "t"+strconv.Itoa(i%3))
			wants(t, "a role", b.roleTeam(t, "Deploy"), Unavailable)
			time.Sleep(time.Minute)
		}
		lines := b.logs.FilterMessageSnippet("iam cannot be asked").All()
		if len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0].ContextMap()["cure"]), "iam:GetRole") {
			t.Errorf("got %v, want one line with iam:GetRole", lines)
		}
		p.mu.Lock()
		p.refuses = nil
		p.mu.Unlock()
		time.Sleep(5 * time.Minute)
		wants(t, "when the right is given", b.roleTeam(t, "Deploy"), "build")
	})
}

// Every event that changes a principal refreshes what is known of it, also when it is not the one who does it; one that
// failed does not.
func TestTagger_follows(t *testing.T) {
	for _, tt := range []struct{ event, members string }{
		{"TagUser", `"requestParameters":{"userName":"x","tags":[{"key":"team","value":"new"}]}`},
		{"UntagUser", `"requestParameters":{"userName":"x","tagKeys":["team"]}`},
		{"CreateUser", `"requestParameters":{"userName":"x"}`},
		{"DeleteUser", `"requestParameters":{"userName":"x"}`},
		{"UpdateUser", `"requestParameters":{"userName":"old","newUserName":"x"}`},
		{"TagRole", `"requestParameters":{"roleName":"x"}`},
		{"UntagRole", `"requestParameters":{"roleName":"x"}`},
		{"CreateRole", `"requestParameters":{"roleName":"x"}`},
		{"DeleteRole", `"requestParameters":{"roleName":"x"}`},
		{"CreateServiceLinkedRole", `"requestParameters":{"aWSServiceName":"ecs.amazonaws.com"},"responseElements":{"role":{"roleName":"x"}}`},
		{"DeleteServiceLinkedRole", `"requestParameters":{"roleName":"x"}`},
	} {
		t.Run(tt.event, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeople(0)
				p.put("x", "old")
				b := start(t, p, nil)
				team := b.team
				if strings.HasSuffix(tt.event, "Role") {
					team = b.roleTeam
				}
				wants(t, "before", team(t, "x"), "old")
				p.put("x", "new")
				event := `{"eventSource":"iam.amazonaws.com","eventName":"` + tt.event + `","recipientAccountId":"` + home +
					`","userIdentity":{"type":"Root"},` + tt.members
				b.enriched(t, event+`,"errorCode":"AccessDenied"}`)
				time.Sleep(time.Second)
				wants(t, "after one that failed", team(t, "x"), "old")
				b.enriched(t, event+"}")
				time.Sleep(time.Second)
				asked := p.lookups("x")
				wants(t, "after", team(t, "x"), "new")
				if asked != 2 || p.lookups("x") != 2 {
					t.Errorf("got %d lookups before the next event and %d behind it, want 2", asked, p.lookups("x"))
				}
				p.remove("x")
				b.enriched(t, event+"}")
				wants(t, "when it is gone", team(t, "x"), "")
			})
		})
	}
}

// A change of long before the answer is in it: nobody waits for another one, but it is asked for.
func TestTagger_followsOldChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(0)
		p.put("x", "old")
		b := start(t, p, nil)
		change := time.Now()
		time.Sleep(2 * time.Minute)
		wants(t, "before", b.team(t, "x"), "old")
		p.put("x", "new")
		p.took = time.Second
		began := time.Now()
		b.enriched(t, `{"eventSource":"iam.amazonaws.com","eventName":"TagUser","recipientAccountId":"`+home+`","eventTime":"`+
			change.UTC().Format(time.RFC3339)+`","requestParameters":{"userName":"x"},"userIdentity":{"type":"Root"}}`)
		wants(t, "behind it", b.team(t, "x"), "old")
		if waited := time.Since(began); waited > 0 {
			t.Errorf("waited for %s, want not at all", waited)
		}
		time.Sleep(2 * time.Second)
		wants(t, "with the new answer", b.team(t, "x"), "new")
	})
}

// A change while the principal is asked for counts: the answer under way may be the old one.
func TestTagger_changedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(0)
		p.put("x", "old")
		p.took = 100 * time.Millisecond
		b := start(t, p, nil)
		go func() {
			time.Sleep(150 * time.Millisecond) // the list is refused first
			b.enriched(t, `{"eventSource":"iam.amazonaws.com","eventName":"TagUser","recipientAccountId":"`+home+
				`","requestParameters":{"userName":"x"},"userIdentity":{"type":"Root"}}`)
		}()
		b.team(t, "x")
		time.Sleep(2 * time.Second)
		if n := p.lookups("x"); n != 2 {
			t.Errorf("got %d lookups, want 2: one may have been answered before the change", n)
		}
	})
}

func TestAdvice(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDenied"}
	call := func(service, operation string, err error) error {
		return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: err}
	}
	for _, tt := range []struct {
		name, want string
		err        error
	}{
		{"GetRole", "iam:GetRole", call("IAM", "GetRole", denied)},
		{"AssumeRole for GetRole", "sts:AssumeRole", call("IAM", "GetRole", fmt.Errorf("signing: %w", call("STS", "AssumeRole", denied)))},
		{"bad keys", "credentials", call("STS", "GetCallerIdentity", &smithy.GenericAPIError{Code: "InvalidClientTokenId"})},
		{"Throttling", "tried again", call("IAM", "GetRole", &smithy.GenericAPIError{Code: "Throttling"})},
		{"no network", "tried again", call("IAM", "GetRole", http.ErrServerClosed)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := advice(principal{kind: role, account: home}, tt.err); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
		})
	}
}
