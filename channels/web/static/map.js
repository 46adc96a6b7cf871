// The city's own map: areas and roads from the profile, and tiles only where an address for them is set.

const STYLES = {
  districts: { color: "#0b5cad", weight: 2, fill: false },
  streets: { color: "#76879a", weight: 1, fill: false, dashArray: "4 3" },
  ways: { color: "#a06a2c", weight: 1.5, fill: false },
};
let made = null;

export async function openMap(node, { at, take }) {
  const L = window.L;
  if (!L || made) return;
  const told = await (await fetch("/desk/map")).json();
  const [lon, lat] = at();
  made = L.map(node, { attributionControl: false, keyboard: true, preferCanvas: true });
  made.setView(lon && lat ? [lat, lon] : told.centre, 15);
  if (told.tiles) L.tileLayer(told.tiles, { maxZoom: 18, referrerPolicy: "no-referrer" }).addTo(made);
  const mark = L.circleMarker(lon && lat ? [lat, lon] : told.centre, { radius: 8, color: "#b3261e", weight: 3 });
  if (lon && lat) mark.addTo(made);
  made.on("click", ({ latlng }) => {
    mark.setLatLng(latlng).addTo(made);
    take(latlng.lng, latlng.lat);
  });
  for (const layer of told.layers) {
    fetch(`/desk/map/${layer}`).then((answer) => (answer.ok ? answer.json() : null)).then((shapes) => {
      if (!shapes) return;
      L.geoJSON(shapes, {
        style: STYLES[layer],
        interactive: false,
        pointToLayer: (_, where) => L.circleMarker(where, { radius: 2, color: "#76879a" }),
      }).addTo(made);
    });
  }
}
