// What the add-on's options mean to the daemon.

/** Where Home Assistant's ingress comes from; it has asked for the login. */
const INGRESS = '172.30.32.2';
export const PORT = 8099;

/**
 * The daemon's configuration.
 *
 * @param options /data/options.json, held to the schema by the Supervisor
 * @param broker what the Supervisor offers as `mqtt` ({ host, port, ssl, username, password }), or null
 * @param folder where the password is written that `passwords` maps by its file's name
 * @returns config, and passwords: file name → text, to be kept from other users
 */
export function settingsOf(options, broker, folder) {
  const passwords = {};
  const { cameras = [], heat_limit: limit, log_level: level = 'info' } = options;
  const config = {
    log: { level, format: 'pretty' },
    status: { listen: `0.0.0.0:${PORT}`, trusted_proxies: [INGRESS] },
    ...(limit != null && { governor: { limit } }),
  };
  // A section that is there ends the guessing for its subject.
  if (cameras.length > 0) {
    config.cameras = Object.fromEntries(
      cameras.map(({ name, ...camera }) => [name, cameraOf(camera)]),
    );
  }
  const mqtt = brokerOf(options, broker);
  if (mqtt !== null) {
    const { password, ...rest } = mqtt;
    config.mqtt = rest;
    if (password != null && password !== '') {
      passwords['mqtt-password'] = password;
      config.mqtt.password_file = `${folder}/mqtt-password`;
    }
  }
  return { config, passwords };
}

/** Empty fields of the form are left to the daemon's defaults. */
function cameraOf(camera) {
  return Object.fromEntries(
    Object.entries(camera).filter(
      ([, value]) => value != null && value !== '' && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

/** The user's own broker, else the one of Home Assistant, else null: then one is looked for. */
function brokerOf({ mqtt_url: url, mqtt_username: username, mqtt_password: password }, broker) {
  if (url != null && url !== '') return withLogin({ url }, username, password);
  if (broker === null) return null;
  const address = `${broker.ssl ? 'mqtts' : 'mqtt'}://${broker.host}:${broker.port}`;
  return withLogin({ url: address }, broker.username, broker.password);
}

function withLogin(mqtt, username, password) {
  return username == null || username === '' ? mqtt : { ...mqtt, username, password };
}
