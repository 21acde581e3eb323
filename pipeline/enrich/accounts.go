package enrich

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

const (
	namesEvery = time.Hour       // how often Organizations is asked
	namesSoon  = 5 * time.Minute // after an error
	maxNames   = 100_000
)

// directoryOfAccounts is where the names of accounts come from.
type directoryOfAccounts interface {
	// organization lists the accounts of our organization, by id. Its id may be known although names are not.
	organization(ctx context.Context) (id string, names map[string]string, err error)
	// alias is the alias of our own account.
	alias(ctx context.Context) (account, alias string, err error)
}

// accounts adds the name of a record's account and its organization.
type accounts struct {
	from   directoryOfAccounts
	static map[string]string
	wait   time.Duration
	file   string
	log    *zap.Logger

	known  atomic.Pointer[map[string]account]
	loaded chan struct{} // closed when Organizations has answered or cannot
	late   atomic.Bool   // somebody waited for that in vain
}

// account is what is spliced.
type account struct{ name, organization []byte }

func newAccounts(c Config, from directoryOfAccounts, log *zap.Logger) *accounts {
	a := &accounts{from: from, static: c.AccountNames.Static, wait: c.Wait, file: c.AccountNames.CacheFile, log: log, loaded: make(chan struct{})}
	a.publish("", nil)
	return a
}

// publish makes the names the ones in force; those of the configuration go before them.
func (a *accounts) publish(organization string, names map[string]string) {
	known := make(map[string]account, len(names)+len(a.static))
	for id, name := range names {
		one := account{name: appendMember(nil, "name", name), organization: appendMember(nil, "id", organization)}
		known[id] = one
	}
	for id, name := range a.static {
		known[id] = account{name: appendMember(nil, "name", name), organization: known[id].organization}
	}
	a.known.Store(&known)
}

func (a *accounts) enrich(ctx context.Context, r *cloudtrail.Record, who *identity, f *ecs.Fragments) {
	id := accountOf(r, who)
	if len(id) == 0 {
		return
	}
	found, ok := (*a.known.Load())[string(id)]
	if !ok && a.await(ctx) {
		found = (*a.known.Load())[string(id)]
	}
	f.CloudAccount, f.Organization = found.name, found.organization
}

// accountOf is the account that a document has as cloud.account.id.
func accountOf(r *cloudtrail.Record, who *identity) []byte {
	if len(who.account) > 0 {
		return who.account
	}
	if id := r.Field(cloudtrail.RecipientAccountID).Text(); len(id) > 0 {
		return id
	}
	return r.Field(cloudtrail.AccountID).Text()
}

// await waits for the first answer, and reports whether it came just now.
func (a *accounts) await(ctx context.Context) bool {
	select {
	case <-a.loaded:
		return false
	default:
	}
	if a.late.Load() || ctx.Err() != nil {
		return false
	}
	came := false
	pipeline.Blocking(ctx, func() {
		limit := time.NewTimer(a.wait)
		defer limit.Stop()
		select {
		case <-a.loaded:
			came = true
		case <-limit.C:
			a.late.Store(true)
		case <-ctx.Done():
		}
	})
	return came
}

// run keeps the names until ctx ends.
func (a *accounts) run(ctx context.Context) {
	first := true
	for {
		next := namesEvery
		organization, names, err := a.ask(ctx)
		switch {
		case err == nil:
			a.publish(organization, names)
			if err := a.save(organization, names); err != nil {
				a.log.Warn("account names are not kept for the next start", zap.Error(err))
			}
		case ctx.Err() != nil:
			return
		default:
			next = namesSoon
			if first {
				a.log.Warn("account names are not known: allow organizations:ListAccounts and organizations:DescribeOrganization, "+
					"or iam:ListAccountAliases, or write them under enrich.account_names.static", zap.Error(err))
			}
		}
		if first {
			close(a.loaded)
		}
		first = false
		select {
		case <-time.After(next):
		case <-ctx.Done():
			return
		}
	}
}

// ask asks Organizations, and for our own account's alias where that does not name accounts: a member of an organization
// may ask which one, and no more.
func (a *accounts) ask(ctx context.Context) (organization string, names map[string]string, err error) {
	call, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	organization, names, err = a.from.organization(call)
	if err == nil {
		return organization, names, nil
	}
	id, alias, second := a.from.alias(call)
	if id == "" || alias == "" && organization == "" {
		return "", nil, errors.Join(err, second)
	}
	return organization, map[string]string{id: alias}, nil
}

// organization implements directoryOfAccounts. It works in the management account and in a delegated administrator's.
// Source: AWS Organizations API Reference, "ListAccounts", "DescribeOrganization".
func (c *cloud) organization(ctx context.Context) (id string, names map[string]string, err error) {
	client := organizations.NewFromConfig(c.config(awsconfig.Role{}))
	described, err := client.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return "", nil, fmt.Errorf("asking for the organization: %w", err)
	}
	names = map[string]string{}
	id = aws.ToString(described.Organization.Id)
	pages := organizations.NewListAccountsPaginator(client, &organizations.ListAccountsInput{})
	for pages.HasMorePages() && len(names) < maxNames {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return id, nil, fmt.Errorf("listing the organization's accounts: %w", err)
		}
		for _, one := range page.Accounts {
			names[aws.ToString(one.Id)] = aws.ToString(one.Name)
		}
	}
	return id, names, nil
}
