BEGIN TRANSACTION;
CREATE TABLE entries (
            model TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL,
            step INTEGER NOT NULL,
            optimizer TEXT NOT NULL,
            details TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            total_seconds REAL NOT NULL,
            batch BLOB,
            segment TEXT,
            begin INTEGER,
            size INTEGER,
            PRIMARY KEY (model, version)
        );
INSERT INTO "entries" VALUES('bb0aeb8e218130dfbf76628e50038272',0,'created',0,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"seed":0}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.0,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('bb0aeb8e218130dfbf76628e50038272',1,'step',1,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":0.7606548974411866,"gradient_norm":1.1603038438376847,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',8.45438000033027492463e-03,X'98000000000000007B225F5F6D657461646174615F5F223A7B226261746368223A227B7D227D2C22646174612F78223A7B226474797065223A22463634222C227368617065223A5B322C345D2C22646174615F6F666673657473223A5B302C36345D7D2C22646174612F79223A7B226474797065223A22493634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B36342C38305D7D7D4184DB89ED17C03FCC45BDE9CFE8C0BF6DB068A4577EE43FF0D484ECBBDABA3FED43E6183424E1BFE6D1CE955F24D73F3C10BD262FDDF43FA3BC69BC7C4EEE3F01000000000000000100000000000000',NULL,NULL,NULL);
INSERT INTO "entries" VALUES('bb0aeb8e218130dfbf76628e50038272',2,'step',2,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":0.6480853442857262,"gradient_norm":1.0321397476607141,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',9.1386700005386956036e-03,X'98000000000000007B225F5F6D657461646174615F5F223A7B226261746368223A227B7D227D2C22646174612F78223A7B226474797065223A22463634222C227368617065223A5B322C345D2C22646174615F6F666673657473223A5B302C36345D7D2C22646174612F79223A7B226474797065223A22493634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B36342C38305D7D7DA1B3BB280D1ED63F1F680422B24AEA3F0AFCE58CE125D53F0796B465BBD9F4BFF349D3DDACF8EC3F477184A76691DC3F75522B8DB82EE1BF226194FE8498E23F01000000000000000100000000000000',NULL,NULL,NULL);
INSERT INTO "entries" VALUES('bb0aeb8e218130dfbf76628e50038272',3,'step',3,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":1.2658062757508732,"gradient_norm":0.5383318458217715,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.00991584900111775,NULL,'ed8c7b93c08ef5d1d7eb090be320258e',0,968);
INSERT INTO "entries" VALUES('bb0aeb8e218130dfbf76628e50038272',4,'restored',1,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"from":1}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',8.45438000033027492463e-03,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('1576730469320561d8e44796a7dc4f0f',0,'created',0,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"seed":0}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.0,NULL,NULL,NULL,NULL);
CREATE TABLE idempotency_keys (
            owner TEXT NOT NULL,
            key TEXT NOT NULL,
            digest BLOB NOT NULL,
            model TEXT NOT NULL,
            answer TEXT NOT NULL, number INTEGER NOT NULL DEFAULT 0, uptime REAL NOT NULL DEFAULT 0,
            PRIMARY KEY (owner, key)
        ) WITHOUT ROWID;
INSERT INTO "idempotency_keys" VALUES('anna','0',X'6D6F64656C2030','bb0aeb8e218130dfbf76628e50038272','{"loss":0.7606548974411866,"gradient_norm":1.1603038438376847,"learning_rate":0.01,"version":1,"step":1,"durable":true,"replayed":false}',1,7.67276950800078338943e+00);
INSERT INTO "idempotency_keys" VALUES('anna','1',X'6D6F64656C2031','bb0aeb8e218130dfbf76628e50038272','{"loss":0.6480853442857262,"gradient_norm":1.0321397476607141,"learning_rate":0.01,"version":2,"step":2,"durable":true,"replayed":false}',2,7.6825710070006607566e+00);
CREATE TABLE models (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            network TEXT NOT NULL,
            dtype TEXT NOT NULL,
            lineage TEXT NOT NULL,
            version INTEGER NOT NULL,
            slot TEXT NOT NULL,
            stamp BLOB NOT NULL, floor INTEGER NOT NULL DEFAULT 0, pruned INTEGER NOT NULL DEFAULT 0, batch_bytes INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
            UNIQUE (owner, name)
        );
INSERT INTO "models" VALUES('bb0aeb8e218130dfbf76628e50038272','anna','model','{"version":1,"inputs":{"x":{"shape":[4],"dtype":"float","shared":false},"y":{"shape":[],"dtype":"int64","shared":false}},"nodes":[{"name":"hidden","kind":"linear","inputs":["x"],"config":{"units":8,"bias":true,"init_scale":1.0}},{"name":"active","kind":"tanh","inputs":["hidden"],"config":{}},{"name":"scores","kind":"linear","inputs":["active"],"config":{"units":3,"bias":true,"init_scale":1.0}},{"name":"loss","kind":"softmax_nll","inputs":["scores","y"],"config":{}}],"loss":{"loss":1.0}}','float64','8e7334fe0db91e09041f441d3d7685e7',4,'70f50e2efc3de490fc0100ad82b57a71',X'A92A1FADFA17415DA194F50021856A201283AEAB7AAF62A0154801589FF27919',0,0,1448,12040);
INSERT INTO "models" VALUES('1576730469320561d8e44796a7dc4f0f','anna','other','{"version":1,"inputs":{"x":{"shape":[4],"dtype":"float","shared":false},"y":{"shape":[],"dtype":"int64","shared":false}},"nodes":[{"name":"hidden","kind":"linear","inputs":["x"],"config":{"units":8,"bias":true,"init_scale":1.0}},{"name":"active","kind":"tanh","inputs":["hidden"],"config":{}},{"name":"scores","kind":"linear","inputs":["active"],"config":{"units":3,"bias":true,"init_scale":1.0}},{"name":"loss","kind":"softmax_nll","inputs":["scores","y"],"config":{}}],"loss":{"loss":1.0}}','float64','addcf8228ad1b3c9bd3f433502ff571e',0,'63a232c43975791a8c219b958da7128d',X'A92A1FADFA17415DA194F50021856A2096E372C2EEB43AE06C369EC8D451E50E',0,0,0,7944);
CREATE TABLE snapshots (
            model TEXT NOT NULL,
            version INTEGER NOT NULL,
            file TEXT NOT NULL,
            params_id TEXT NOT NULL,
            seconds REAL NOT NULL,
            total_seconds REAL NOT NULL, bytes INTEGER NOT NULL DEFAULT 0, total_bytes INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (model, version),
            FOREIGN KEY (model, version) REFERENCES entries (model, version) ON DELETE CASCADE
        );
INSERT INTO "snapshots" VALUES('bb0aeb8e218130dfbf76628e50038272',0,'7e36ff2f7f55e2b4d3ffb89ce85dbad1.safetensors','216ed1134ffca198b157222926dcaa668076fb1c76f63ebb63da3ce70db3063d',1.15088983999157790094e-01,0.0,2648,0);
INSERT INTO "snapshots" VALUES('bb0aeb8e218130dfbf76628e50038272',4,'47022efa9bddb4a7d5d9f0f19356a40d.safetensors','0d88f5c490cea15d4e2bb7f0c076267465a6ff9b7da08341fcfb542f112b3fa1',1.43011099971772637218e-02,8.45438000033027492463e-03,2648,1448);
INSERT INTO "snapshots" VALUES('1576730469320561d8e44796a7dc4f0f',0,'1154fee49b276917559a1e8d66ed4aed.safetensors','216ed1134ffca198b157222926dcaa668076fb1c76f63ebb63da3ce70db3063d',1.39218949989299289882e-02,0.0,2648,0);
CREATE TABLE uptime (boot BLOB NOT NULL, moment REAL NOT NULL, seconds REAL NOT NULL);
INSERT INTO "uptime" VALUES(X'A92A1FADFA17415DA194F50021856A20',29769.195898284,7.67276950800078338943e+00);
CREATE INDEX entries_in_segments ON entries (model, version) WHERE segment IS NOT NULL;
CREATE INDEX models_of_owners ON models (owner, bytes);
CREATE INDEX keys_of_owners ON idempotency_keys (owner, number);
COMMIT;
PRAGMA user_version = 3;
