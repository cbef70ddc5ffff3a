BEGIN TRANSACTION;
CREATE TABLE datasets (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            dataset_id TEXT NOT NULL,
            rows INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            columns TEXT NOT NULL, uploads INTEGER NOT NULL DEFAULT 1,
            UNIQUE (owner, name)
        );
INSERT INTO "datasets" VALUES('5d0c1e9a7b2f4c6d8e0a1b2c3d4e5f60','anna','table','abababababababababababababababababababababababababababababababab',6,200,'[{"name":"x","dtype":"float64","shape":[4],"missing":0,"min":0.0,"max":1.0,"mean":0.5,"std":0.1,"non_finite":0}]',1);
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
            size INTEGER, dataset TEXT REFERENCES datasets (id),
            PRIMARY KEY (model, version)
        );
INSERT INTO "entries" VALUES('0294518d3f8ba3cf3e0c9466015dcfe0',0,'created',0,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"seed":0}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('0294518d3f8ba3cf3e0c9466015dcfe0',1,'step',1,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":0.7606548974411866,"gradient_norm":1.1603038438376847,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.73402599830296821892e-03,X'98000000000000007B225F5F6D657461646174615F5F223A7B226261746368223A227B7D227D2C22646174612F78223A7B226474797065223A22463634222C227368617065223A5B322C345D2C22646174615F6F666673657473223A5B302C36345D7D2C22646174612F79223A7B226474797065223A22493634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B36342C38305D7D7D4184DB89ED17C03FCC45BDE9CFE8C0BF6DB068A4577EE43FF0D484ECBBDABA3FED43E6183424E1BFE6D1CE955F24D73F3C10BD262FDDF43FA3BC69BC7C4EEE3F01000000000000000100000000000000',NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('0294518d3f8ba3cf3e0c9466015dcfe0',2,'step',2,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":0.6480853442857262,"gradient_norm":1.0321397476607141,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',2.61903600039659067988e-03,X'98000000000000007B225F5F6D657461646174615F5F223A7B226261746368223A227B7D227D2C22646174612F78223A7B226474797065223A22463634222C227368617065223A5B322C345D2C22646174615F6F666673657473223A5B302C36345D7D2C22646174612F79223A7B226474797065223A22493634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B36342C38305D7D7DA1B3BB280D1ED63F1F680422B24AEA3F0AFCE58CE125D53F0796B465BBD9F4BFF349D3DDACF8EC3F477184A76691DC3F75522B8DB82EE1BF226194FE8498E23F01000000000000000100000000000000',NULL,NULL,NULL,'5d0c1e9a7b2f4c6d8e0a1b2c3d4e5f60');
INSERT INTO "entries" VALUES('0294518d3f8ba3cf3e0c9466015dcfe0',3,'step',3,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":1.2658062757508732,"gradient_norm":0.5383318458217715,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',3.69627300096908584237e-03,NULL,'d2702ae7f2d122733f0c5123ae21bf5f',0,968,NULL);
INSERT INTO "entries" VALUES('0294518d3f8ba3cf3e0c9466015dcfe0',4,'restored',1,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"from":1}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.73402599830296821892e-03,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('ef04fdaa80dff65990d5a044abdddf5c',0,'created',0,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"seed":0}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.0,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE idempotency_keys (
            owner TEXT NOT NULL,
            key TEXT NOT NULL,
            digest BLOB NOT NULL,
            model TEXT NOT NULL,
            answer TEXT NOT NULL, number INTEGER NOT NULL DEFAULT 0, uptime REAL NOT NULL DEFAULT 0,
            PRIMARY KEY (owner, key)
        ) WITHOUT ROWID;
INSERT INTO "idempotency_keys" VALUES('anna','0',X'6D6F64656C2030','0294518d3f8ba3cf3e0c9466015dcfe0','{"loss":0.7606548974411866,"gradient_norm":1.1603038438376847,"learning_rate":0.01,"version":1,"step":1,"durable":true,"replayed":false}',1,4.5282136380010342691e+00);
INSERT INTO "idempotency_keys" VALUES('anna','1',X'6D6F64656C2031','0294518d3f8ba3cf3e0c9466015dcfe0','{"loss":0.6480853442857262,"gradient_norm":1.0321397476607141,"learning_rate":0.01,"version":2,"step":2,"durable":true,"replayed":false}',2,4.54958745700059807859e+00);
CREATE TABLE models (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            network TEXT NOT NULL,
            dtype TEXT NOT NULL,
            lineage TEXT NOT NULL,
            version INTEGER NOT NULL,
            slot TEXT NOT NULL,
            stamp BLOB NOT NULL, floor INTEGER NOT NULL DEFAULT 0, pruned INTEGER NOT NULL DEFAULT 0, batch_bytes INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, reserved INTEGER NOT NULL DEFAULT 0, unlogged INTEGER NOT NULL DEFAULT 0,
            UNIQUE (owner, name)
        );
INSERT INTO "models" VALUES('0294518d3f8ba3cf3e0c9466015dcfe0','anna','model','{"version":1,"inputs":{"x":{"shape":[4],"dtype":"float","shared":false},"y":{"shape":[],"dtype":"int64","shared":false}},"nodes":[{"name":"hidden","kind":"linear","inputs":["x"],"config":{"units":8,"bias":true,"init_scale":1.0}},{"name":"active","kind":"tanh","inputs":["hidden"],"config":{}},{"name":"scores","kind":"linear","inputs":["active"],"config":{"units":3,"bias":true,"init_scale":1.0}},{"name":"loss","kind":"softmax_nll","inputs":["scores","y"],"config":{}}],"loss":{"loss":1.0}}','float64','e2849f8aaf7480db12412f6a4dbc27ee',4,'5af050420ea6968a41c49e732e23233d',X'A92A1FADFA17415DA194F50021856A208001729D149CE32630799AA06ACE6E82',0,0,1448,12040,4,0);
INSERT INTO "models" VALUES('ef04fdaa80dff65990d5a044abdddf5c','anna','other','{"version":1,"inputs":{"x":{"shape":[4],"dtype":"float","shared":false},"y":{"shape":[],"dtype":"int64","shared":false}},"nodes":[{"name":"hidden","kind":"linear","inputs":["x"],"config":{"units":8,"bias":true,"init_scale":1.0}},{"name":"active","kind":"tanh","inputs":["hidden"],"config":{}},{"name":"scores","kind":"linear","inputs":["active"],"config":{"units":3,"bias":true,"init_scale":1.0}},{"name":"loss","kind":"softmax_nll","inputs":["scores","y"],"config":{}}],"loss":{"loss":1.0}}','float64','5fd2fac9afee9f18966273c7af7b8940',0,'adc28604cad82fc44a5cb8ed78bcf8ce',X'A92A1FADFA17415DA194F50021856A204374D440DE1048F8C888393B40914075',0,0,0,7944,0,0);
CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            number INTEGER NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            model TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            dataset TEXT NOT NULL,
            validation_dataset TEXT,
            recipe TEXT NOT NULL,
            state TEXT NOT NULL,
            first_version INTEGER NOT NULL,
            total_steps INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            problem TEXT NOT NULL,
            steps INTEGER NOT NULL,
            version INTEGER NOT NULL,
            seconds REAL NOT NULL,
            validated INTEGER NOT NULL,
            best_loss REAL,
            best_version INTEGER,
            best_file TEXT NOT NULL,
            misses INTEGER NOT NULL
        , hangs INTEGER NOT NULL DEFAULT 0);
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
INSERT INTO "snapshots" VALUES('0294518d3f8ba3cf3e0c9466015dcfe0',0,'a9e5ff1da74c76e27a1ce9db294352ec.safetensors','216ed1134ffca198b157222926dcaa668076fb1c76f63ebb63da3ce70db3063d',3.84033080008521210402e-02,0.0,2648,0);
INSERT INTO "snapshots" VALUES('0294518d3f8ba3cf3e0c9466015dcfe0',4,'3f9b237e1f4fd77a5df7ca354ed1186c.safetensors','0d88f5c490cea15d4e2bb7f0c076267465a6ff9b7da08341fcfb542f112b3fa1',1.80776019988115876913e-02,1.73402599830296821892e-03,2648,1448);
INSERT INTO "snapshots" VALUES('ef04fdaa80dff65990d5a044abdddf5c',0,'3678f655a4e1da8ac14a6935f441a708.safetensors','216ed1134ffca198b157222926dcaa668076fb1c76f63ebb63da3ce70db3063d',2.29301200015470385551e-02,0.0,2648,0);
CREATE TABLE uptime (boot BLOB NOT NULL, moment REAL NOT NULL, seconds REAL NOT NULL);
INSERT INTO "uptime" VALUES(X'A92A1FADFA17415DA194F50021856A20',30901.388964688,4.5282136380010342691e+00);
CREATE TABLE validations (
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            step INTEGER NOT NULL,
            loss REAL NOT NULL,
            PRIMARY KEY (run, version)
        ) WITHOUT ROWID;
CREATE INDEX entries_in_segments ON entries (model, version) WHERE segment IS NOT NULL;
CREATE INDEX models_of_owners ON models (owner, bytes);
CREATE INDEX keys_of_owners ON idempotency_keys (owner, number);
CREATE INDEX entries_of_datasets ON entries (dataset, model) WHERE dataset IS NOT NULL;
CREATE INDEX runs_of_owners ON runs (owner, number);
CREATE INDEX runs_of_models ON runs (model);
CREATE UNIQUE INDEX open_runs ON runs (model) WHERE state IN ('queued', 'running', 'paused');
PRAGMA user_version = 8;
COMMIT;
