package words

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/vocab"
)

// maxEmbedded bounds the labels whose vectors are fetched.
const maxEmbedded = 1000

// Cosines compares the texts of a vocabulary by the vectors of a model that an infer
// worker has; nil if none runs, if it is busy, or if there are too many labels.
func Cosines(ctx context.Context, c redis.UniversalClient, prefix string, v vocab.Vocabulary) (func(a, b string) (float64, bool), error) {
	force, err := vocab.NewStore(c, prefix).InForce(ctx, v.Name)
	if err != nil {
		return nil, err
	}
	if len(force) == 0 || force[0].Dim == 0 || len(v.Labels) > maxEmbedded {
		return nil, nil
	}
	remote, err := scoring.NewRemote(scoring.RemoteOptions{Client: c, Prefix: prefix, Model: force[0].Model, Dim: force[0].Dim})
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, l := range v.Labels {
		texts = append(texts, l.Texts()...)
	}
	vectors, _, err := remote.Of(ctx, texts)
	if err != nil {
		return nil, nil //nolint:nilerr // words are compared where vectors can't be had
	}
	return func(a, b string) (cosine float64, ok bool) { return scoring.Cosine(vectors, a, b) }, nil
}
