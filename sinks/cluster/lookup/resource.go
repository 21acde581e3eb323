package lookup

import (
	"context"
	"slices"
	"strings"

	"github.com/trailship/trailship/history"
)

// maxNames is how many resources are looked for by their names in one search, which may have 1,024 clauses. For more the
// documents are looked at one by one.
const maxNames = 50

// resource passes, among others, the documents about a resource: it is a value or some words of a value of the request, the
// response or the details, or the last part of an ARN in a field for ARNs.
func resource(names ...string) query {
	if len(names) > maxNames {
		return everything()
	}
	clauses := []query{is(fieldResource, names...), is(fieldEntity, names...)}
	for _, field := range objects() {
		clauses = append(clauses, is(field, names...))
	}
	for _, name := range names {
		clauses = append(clauses, fits(fieldMessage, "*on resource: *"+literal(name)+"*"))
		for _, form := range freeForm() {
			clauses = append(clauses, words(trailFields+form, name))
		}
		if strings.ContainsAny(name, ":/") {
			continue
		}
		for _, field := range []string{fieldResource, fieldEntity} { // in objects it would take seconds, and their words do mostly
			clauses = append(clauses, ends(field, "/"+name), ends(field, ":"+name))
		}
	}
	return either(clauses...)
}

// resourceLike passes, among others, the documents about a resource with a name like that: something has it at its end.
func resourceLike(pattern string) query {
	clauses := []query{matches(fieldMessage, "*on resource: *")}
	for _, field := range append(objects(), fieldResource, fieldEntity) {
		clauses = append(clauses, matches(field, glob(pattern)), matches(field, "*:"+glob(pattern)), matches(field, "*/"+glob(pattern)))
	}
	return either(clauses...)
}

// traits passes the documents that may have one of the traits.
func (c *Cluster) traits(ctx context.Context, values []string) (clause query, sure bool, err error) {
	clauses := make([]query, len(values))
	for i, trait := range values {
		switch trait {
		case history.TraitOpen:
			clauses[i] = all(ofService("ec2"), either(begins(fieldAction, "AuthorizeSecurityGroup"), is(fieldAction, "ModifySecurityGroupRules")))
		case history.TraitAdmin:
			clauses[i] = all(ofService("iam"), begins(fieldAction, "Attach"))
		case history.TraitShared:
			clauses[i] = either(
				all(ofService("s3"), is(fieldAction, "PutBucketPolicy", "PutBucketAcl")),
				all(ofService("lambda"), begins(fieldAction, "AddPermission")),
				all(ofService("ec2"), is(fieldAction, "ModifySnapshotAttribute", "ModifyImageAttribute")),
				all(ofService("rds"), is(fieldAction, "ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute")),
			)
		case history.TraitCrossAccount:
			if clauses[i], err = c.acrossAccounts(ctx); err != nil {
				return query{}, false, err
			}
		}
	}
	// Which accounts a document names the cluster can tell; the rest takes a look into the request.
	sure = !slices.ContainsFunc(values, func(trait string) bool { return trait != history.TraitCrossAccount })
	return either(clauses...), sure, nil
}

// ofService passes the calls of a service.
func ofService(name string) query {
	return either(is(fieldProvider, name), begins(fieldProvider, name+"."))
}

// maxAccounts is for how many accounts the calls across accounts are looked for.
const maxAccounts = 500

// acrossAccounts passes the calls of which the caller or a resource is of another account than the one called. Fields cannot
// be compared with each other; so it is asked for each account that was called.
func (c *Cluster) acrossAccounts(ctx context.Context) (query, error) {
	answer, err := c.search(ctx, &search{Query: everything(), Aggregations: map[string]aggregation{"accounts": {Terms: &terms{Field: fieldRecipient, Size: maxAccounts + 1}}}})
	if err != nil {
		return query{}, err
	}
	called := answer.Aggregations["accounts"].Buckets
	if len(called) > maxAccounts {
		return query{}, history.Wrong("the cluster has events of more than %d accounts, too many to look for calls across them: trait:%s cannot be asked",
			maxAccounts, history.TraitCrossAccount)
	}
	clauses := []query{is(fieldIdentity, "AWSAccount")}
	for _, one := range called {
		own := one.text()
		clauses = append(clauses, all(is(fieldRecipient, own), either(other(fieldAccount, own), other(fieldOwner, own))))
	}
	return either(clauses...), nil
}

// other passes documents with a value in the field that is another than this one, whatever else the field has.
func other(name, than string) query {
	return either(query{Range: map[string]bounds{name: {Below: than}}}, query{Range: map[string]bounds{name: {Above: than}}})
}
