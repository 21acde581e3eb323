package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/sinks/cluster"
)

func retagFields() []string {
	return []string{"tags", "user.name", "cloud.account.id", "aws.cloudtrail.user_identity"}
}

// written is what retag reads of a document.
type written struct {
	Tags []string `json:"tags"`
	User struct {
		Name string `json:"name"`
	} `json:"user"`
	Cloud struct {
		Account struct {
			ID string `json:"id"`
		} `json:"account"`
	} `json:"cloud"`
	AWS struct {
		CloudTrail struct {
			Identity struct {
				Type    string `json:"type"`
				ARN     string `json:"arn"`
				Session struct {
					Issuer struct {
						Type    string `json:"type"`
						ARN     string `json:"arn"`
						Account string `json:"account_id"`
					} `json:"session_issuer"`
				} `json:"session_context"`
			} `json:"user_identity"`
		} `json:"cloudtrail"`
	} `json:"aws"`
}

// identity is the userIdentity that the document was made of, as far as IAM has to know.
func (w *written) identity() ([]byte, error) {
	from := w.AWS.CloudTrail.Identity
	who := map[string]any{"type": from.Type, "arn": from.ARN, "accountId": w.Cloud.Account.ID}
	if issuer := from.Session.Issuer; issuer.ARN != "" {
		who["sessionContext"] = map[string]any{"sessionIssuer": map[string]any{
			"type": issuer.Type, "arn": issuer.ARN, "accountId": issuer.Account, "userName": issuer.ARN[strings.LastIndexByte(issuer.ARN, '/')+1:],
		}}
	} else {
		who["userName"] = w.User.Name
	}
	return json.Marshal(map[string]any{"userIdentity": who})
}

// change is what to lay over a document, nil when IAM does not answer.
func (r *retagger) change(ctx context.Context, hit cluster.Hit) (json.RawMessage, error) {
	var w written
	if err := json.Unmarshal(hit.Source, &w); err != nil {
		return nil, err
	}
	text, err := w.identity()
	if err != nil {
		return nil, err
	}
	var record cloudtrail.Record
	if err := record.Parse(text); err != nil {
		return nil, err
	}
	f, ok := r.tags(ctx, &record, w.owner())
	if !ok {
		return nil, nil
	}
	return w.overlay(f)
}

// tags asks IAM, several times if need be, but only once for an owner who did not answer before.
func (r *retagger) tags(ctx context.Context, record *cloudtrail.Record, owner string) (f ecs.Fragments, ok bool) {
	for try := 1; ; try++ {
		f = ecs.Fragments{}
		r.enricher.Enrich(ctx, record, &f)
		if len(f.Tags) == 0 {
			delete(r.hopeless, owner)
			return f, true
		}
		if try == retagTries || r.hopeless[owner] || ctx.Err() != nil {
			r.hopeless[owner] = true
			return f, false
		}
		select {
		case <-time.After(r.pause):
		case <-ctx.Done():
		}
	}
}

// owner is whose IAM is asked: users and roles of an account answer each by themselves.
func (w *written) owner() string {
	from := w.AWS.CloudTrail.Identity
	account := from.Session.Issuer.Account
	if account == "" {
		account = w.Cloud.Account.ID
	}
	return account + " " + from.Type
}

// overlay is what is laid over the document: the tags without the one that stood for them, and what f holds.
func (w *written) overlay(f ecs.Fragments) (json.RawMessage, error) {
	tags, err := json.Marshal(slices.DeleteFunc(w.Tags, func(tag string) bool { return tag == enrich.Unavailable }))
	if err != nil {
		return nil, err
	}
	doc := append([]byte(`{"tags":`), tags...)
	for _, part := range []struct {
		key     string
		members []byte
	}{{`,"aws":{"iam":{`, f.IAM}, {`,"user":{`, f.User}, {`,"organization":{`, f.OrgName}, {`,"labels":{`, f.Labels}} {
		if len(part.members) == 0 {
			continue
		}
		doc = append(append(doc, part.key...), part.members[:len(part.members)-1]...)
		doc = append(doc, strings.Repeat("}", strings.Count(part.key, "{"))...)
	}
	return append(doc, '}'), nil
}
